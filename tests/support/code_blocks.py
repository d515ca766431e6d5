"""The examples in the documents, which the tests run."""

import re
from textwrap import dedent


def code_blocks(page: str, language: str) -> list[str]:
    """The code blocks of a language in the text of a page, those of list items without their indentation."""
    blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    return [dedent(block) for block in blocks]
