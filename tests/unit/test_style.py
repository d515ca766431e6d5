"""STYLE.md is kept: words that a reader stumbles over do not come back into the documents."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
NOT_OURS = [
    r"whoever",
    r"whosever",
    r"for ever",
    r"anew",
    r"again and again",
    r"lest",
    r"mend(s|ed|ing)?",
    r"befall(s|en)?|befell",
    r"let (go|through)",
    r"without a word",
    r"(stands|stood) at",
    r"lies beyond",
    r"seldomer",
    r"is told",
    r"tells (of|on)",
    r"of its own accord",
    r"rooms?",
]
WORDS = re.compile(rf"\b(?:{'|'.join(NOT_OURS)})\b", re.IGNORECASE)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_plain_english(page: str) -> None:
    text = CODE.sub(lambda code: "\n" * code[0].count("\n"), (ROOT / page).read_text())
    found = [
        f"{page}:{number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in WORDS.finditer(line)
    ]
    assert found == []
