"""What contributors read and what their tools read: paths that exist, commands that exist, files that parse."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from setuptools import find_namespace_packages

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_every_place_that_the_guide_names_is_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[\w.]*)`", GUIDE)
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_target_that_the_guide_names_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", GUIDE)) <= targets


def test_help_lists_every_target() -> None:
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert {line.split()[0] for line in listed.splitlines()} == set(phony[1].split()) - {"chromium"}


def arguments(target: str) -> list[str]:
    """What a target of the Makefile gives to pytest."""
    command = ["make", "--no-print-directory", "--dry-run", target, "TEST_ARGS="]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.replace("\\\n", " ")
    (line,) = [line for line in shown.splitlines() if " -m pytest " in line]
    return shlex.split(line.partition(" -m pytest ")[2])


def selecting(given: list[str]) -> list[str]:
    return [each for each in given if re.match(r"-m|-k|--ignore|--deselect|tests/", each)]


def test_what_make_test_leaves_out_make_test_all_runs() -> None:
    assert selecting(arguments("test-all")) == []
    assert arguments("test") == [*arguments("test-all"), "-m", "not slow"]


def test_ci_runs_every_test_once() -> None:
    lines = [shlex.split(line) for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("make ")]
    runs = {line[2]: line[3:] for line in lines}
    assert runs.keys() == {"lint", "coverage", "simulate", "test-all"}
    folders = selecting(arguments("coverage"))
    assert folders == ["tests/unit", "tests/property"]
    assert runs["test-all"] == [f"TEST_ARGS={' '.join(f'--ignore={folder}' for folder in folders)}"]


@pytest.mark.parametrize("path", [path for path in TRACKED if path.endswith((".yml", ".yaml"))])
def test_yaml_can_be_read(path: str) -> None:
    assert yaml.safe_load((ROOT / path).read_text())


def test_the_workflow_tests_and_builds_both_distributions_on_every_python() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    supported = ["3.11", "3.12", "3.13", "3.14"]
    assert {tuple(job["strategy"]["matrix"]["python"]) for job in jobs.values()} == {tuple(supported)}
    steps = {name: [step.get("run", "") for step in job["steps"]] for name, job in jobs.items()}
    assert ".ci/run" in steps["test"]
    assert any("pip wheel" in step and step.endswith("./client .") for step in steps["wheels"])


def test_both_distributions_have_one_version_and_one_least_python() -> None:
    app, client = (
        tomllib.loads((ROOT / path).read_text())["project"] for path in ("pyproject.toml", "client/pyproject.toml")
    )
    assert app["version"] == client["version"]
    assert app["requires-python"] == client["requires-python"]
    assert f"tally-client == {client['version']}" in app["dependencies"]


def test_the_application_ships_its_own_packages_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    found = find_namespace_packages(str(ROOT), include=project["setuptools"]["packages"]["find"]["include"])
    assert {name.partition(".")[0] for name in found} == {*project["importlinter"]["root_packages"]} - {"tally_client"}


def test_the_linters_before_a_commit_are_those_of_make_lint() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    before = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in repository["hooks"]}
    makefile = (ROOT / "Makefile").read_text()
    assert before == set(re.findall(r"^\t\$\(BIN\)/(ruff|mypy|lint-imports)\b", makefile, re.MULTILINE))
