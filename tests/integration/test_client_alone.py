"""`tally-client` alone, as a product service has it: built from its folder, in an environment of its own."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.embedded.stack import publish_settings
from deploy.settings import load, texts_of
from streams.topics import ensure_topics, topic_specs
from tests.support.code_blocks import code_blocks

ROOT = Path(__file__).parents[2]
TOLD = """
import json, re
from importlib.metadata import distribution, distributions
client = distribution("tally-client")
print(json.dumps({
    "direct": sorted(re.match("[a-z-]+", each)[0] for each in client.requires),
    "packages": sorted({str(file).split("/")[0] for file in client.files if ".dist-info" not in str(file)}),
    "installed": [each.metadata["Name"].lower() for each in distributions()],
    "typed": any(str(file).endswith("py.typed") for file in client.files),
}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment in which `pip install ./client` was run, and nothing else."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(ROOT / "client", folder / "client", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Without the hashes, which pip would ask of the client's folder, too.
    pins = re.findall(r"^[\w.-]+==[\w.]+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    subprocess.run([*install, "-c", str(folder / "pins.txt"), str(folder / "client")], check=True)
    return python


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service's program: the README's example, with ids."""
    (example,) = code_blocks((ROOT / "README.md").read_text(), "python")
    imports, _, body = example.partition("\n\n")
    program = tmp_path_factory.mktemp("program") / "service.py"
    program.write_text(
        "import asyncio\nfrom datetime import UTC, datetime\nfrom uuid import uuid4\n\n"
        f"{imports}\n\norganization_id, account_id, conversation_id = (str(uuid4()) for _ in range(3))\n\n\n"
        f'async def main() -> None:\n{indent(body, "    ")}\n\nif __name__ == "__main__":\n    asyncio.run(main())\n'
    )
    return program


def test_it_is_one_package_with_three_direct_dependencies(python: Path) -> None:
    answer = subprocess.run([python, "-c", TOLD], check=True, capture_output=True, cwd="/")
    told = json.loads(answer.stdout)
    assert told["direct"] == ["aiokafka", "msgspec", "orjson"]
    assert told["packages"] == ["tally_client"]
    assert told["typed"]
    assert {"faust-streaming", "clickhouse-connect", "litestar", "tally-analytics"}.isdisjoint(told["installed"])


def test_the_readmes_example_is_typed(python: Path, service: Path) -> None:
    checked = type_checked(python, service)
    assert checked.returncode == 0, checked.stdout
    wrong = service.with_name("wrong.py")
    wrong.write_text(service.read_text().replace('product="chat"', "product=3"))
    assert "incompatible type" in type_checked(python, wrong).stdout


def test_the_readmes_example_emits_beside_a_stack(python: Path, service: Path, kafka: str, tmp_path: Path) -> None:
    running = load(flags={"kafka_bootstrap": kafka})
    asyncio.run(ensure_topics(kafka, topic_specs()))
    before = asyncio.run(written(kafka))
    (tmp_path / ".tally").mkdir()
    with publish_settings(tmp_path / ".tally", texts_of(running)):
        subprocess.run([python, service], check=True, cwd=tmp_path)
    assert asyncio.run(written(kafka)) == before + 1


def test_events_are_read_without_aiokafka(python: Path) -> None:
    """Whoever checks or reads events pays for no Kafka client."""
    code = "import sys; from tally_client import ChatMessage; assert 'aiokafka' not in sys.modules"
    subprocess.run([python, "-c", code], check=True, cwd="/")


def type_checked(python: Path, program: Path) -> "subprocess.CompletedProcess[str]":
    """mypy over a program, with what is installed for that interpreter."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), program.name]
    return subprocess.run(command, capture_output=True, text=True, cwd=program.parent)


async def written(bootstrap: str) -> int:
    """How many records the topic of chats has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition("tally.chat", each) for each in range(4)]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()
