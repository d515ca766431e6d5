"""`constraints.txt`: everything that `make setup` installs, as the very files that were looked at."""

import re
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
REQUIREMENTS = [
    each.replace("\\\n", "").strip()
    for each in re.split(r"\n(?=\S)", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
]
PINS = {canonicalize_name(name): pin for name, pin in (each.split()[0].split("==") for each in REQUIREMENTS)}


def test_every_requirement_is_one_version_of_known_files_from_anywhere() -> None:
    for each in REQUIREMENTS:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [^/]*?)?(\s+--hash=sha256:[0-9a-f]{64})+", each), each


def test_what_is_installed_is_what_stands_there() -> None:
    """Run `make setup` when it is not: the list has changed since."""
    # Not sys.path: setuptools, once imported, adds the copies of libraries that it carries inside to it.
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    installed = {canonicalize_name(each.name): each.version for each in distributions(path=folders)}
    for own in ("tally-analytics", "tally-client"):
        del installed[canonicalize_name(own)]
    assert {name: version for name, version in installed.items() if PINS.get(name) != version} == {}


def test_what_builds_the_folds_is_what_their_build_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = dict(each.split("==") for each in project["build-system"]["requires"])
    assert asked == {name: PINS[name] for name in asked}
