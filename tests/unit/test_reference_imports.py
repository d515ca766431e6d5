"""The recounts share no code with what they check: importing them brings in nothing of Tally."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests/reference"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted(REFERENCE.rglob("*.py"))
    if path.name != "__init__.py"
}
AUDITORS = "tests.reference.recount_ndjson"
"""The script of docs/verify.md, which reads the price list as Tally does."""


def loaded_with(modules: list[str]) -> set[str]:
    """The packages that importing the modules loads, those of Python and the recounts themselves left out."""
    lines = ["import sys", "before = set(sys.modules)", *(f"import {name}" for name in modules)]
    script = "\n".join([*lines, "print(*(set(sys.modules) - before))"])
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    others = {name for name in found.stdout.split() if name != "tests" and not name.startswith("tests.reference")}
    return {name.partition(".")[0] for name in others} - sys.stdlib_module_names


def test_a_recount_loads_nothing_of_what_it_checks() -> None:
    assert loaded_with([name for name in MODULES if name != AUDITORS]) == set()


def test_the_check_notices_an_import() -> None:
    """Control: the auditors' script reads the price list by the product's reader."""
    assert "pricing" in loaded_with([AUDITORS])


def test_no_file_of_the_model_is_long() -> None:
    sizes = {name: len(path.read_text().splitlines()) for name, path in MODULES.items() if ".model." in name}
    assert {name: size for name, size in sizes.items() if size > 250} == {}
