"""The stack beside which the examples run, as examples/README.md starts it, and what their READMEs show."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.embedded.ports import free_port
from deploy.embedded.stack import read_settings, read_stack
from deploy.settings import Settings, settings_from
from tests.support.code_blocks import code_blocks
from tests.support.processes import start as start_process

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ORGANIZATION = "5b0f1d5e-6c1c-4c6a-9a3e-0d2f7c1b8e42"
"""The one in the READMEs."""


def commands(readme: str) -> list[str]:
    """The command lines that a README of the examples shows."""
    return [line for block in code_blocks((EXAMPLES / readme).read_text(), "console") for line in block.splitlines()]


def shown(readme: str) -> str:
    """The output that it shows."""
    (block,) = code_blocks((EXAMPLES / readme).read_text(), "text")
    return block


@dataclass(frozen=True)
class Stack:
    """A `tally up` and the folder it was started in."""

    folder: Path
    settings: Settings
    environment: dict[str, str]

    def run(self, script: str) -> str:
        """What a script of commands prints; ports are those of the stack. Fails if one of the commands does."""
        for there, here in (("http://127.0.0.1:8080", self.settings.api_url()),
                            ("http://127.0.0.1:8123", self.settings.clickhouse_url)):  # fmt: skip
            script = script.replace(there, here)
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def wait_for(what: str, condition: Callable[[], object], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it is so; fails when the process has ended, or after minutes."""
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, f"it ended before {what}: {log.read_text()}"
        assert time.monotonic() < deadline, f"not within 240 s: {what}"
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a GET succeeds."""
    try:
        return httpx.get(url, timeout=30).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def example_stack(folder: Path) -> Iterator[Stack]:
    """The stack of the examples, in a folder that has them as the repository's root has them."""
    (command,) = [line for line in commands("README.md") if line.endswith("tally up")]
    name, _, now = command.split()[0].partition("=")
    with running_stack(folder, {**environment_in(folder), name: now}) as stack:
        yield stack


@contextmanager
def running_stack(folder: Path, environment: dict[str, str]) -> Iterator[Stack]:
    """A `tally up` in the folder, whose workers have read all logs to their end."""
    log = folder / "up.log"
    with log.open("wb") as output:
        up = start_process(
            [sys.executable, "-m", "cli", "up"],
            cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        data = folder / ".tally"
        wait_for("the API runs", lambda: read_stack(data).get("api", {}).get("healthy"), up, log)
        published = read_settings(data)
        assert published is not None
        settings = settings_from({name: text for name, text in published.items() if text is not None}, {})
        wait_for("all logs are read", lambda: answers(f"{settings.api_url()}/health"), up, log)
        yield Stack(folder, settings, environment)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)


def environment_in(folder: Path) -> dict[str, str]:
    """What an example finds: the examples in its folder, and the bare environment."""
    (folder / "examples").symlink_to(EXAMPLES)
    return bare_environment()


def bare_environment() -> dict[str, str]:
    """The environment of this Python, without any setting."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TALLY_", "ANTHROPIC_"))}
    return {**plain, "PATH": f"{Path(sys.executable).parent}:{plain['PATH']}"}


def service_command(port: int) -> list[str]:
    """How its README starts the FastAPI example, on another port."""
    return (
        commands("fastapi_service/README.md")[1].replace("--port 8000", f"--port {port}").partition(" 2> ")[0].split()
    )


class Service:
    """The FastAPI example as its README starts it, on a free port; events have a second to be confirmed."""

    def __init__(self, stack: Stack, organization: str) -> None:
        """`organization` is that of its users."""
        port, self.log = free_port(), stack.folder / "service.log"
        self._stack, self._here, self._organization = stack, f"http://127.0.0.1:{port}", organization
        words = service_command(port)
        with self.log.open("wb") as errors:
            self.process = start_process(
                words, cwd=stack.folder, env={**stack.environment, "CONFIRM_SECONDS": "1"},
                stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
        wait_for("the service answers", lambda: answers(f"{self._here}/openapi.json"), self.process, self.log)

    def send(self) -> str:
        """Make the request of the README; what it prints."""
        request = commands("fastapi_service/README.md")[-1].replace("http://127.0.0.1:8000", self._here)
        request = request.replace(ORGANIZATION, self._organization)
        return self._stack.run(request.replace("curl", "curl --silent --show-error --fail-with-body")) + "\n"

    def stop(self) -> None:
        """End it as a supervisor does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        assert "Application shutdown complete" in self.log.read_text()
