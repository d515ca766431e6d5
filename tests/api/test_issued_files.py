"""A report is served as issued only while its file is the one that was issued."""

import logging
import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from reports.exports.export_worker import run_once
from simulation import Plan
from tests.support.api_server import context_of, serve
from tests.support.people import people_events, somebody
from tests.support.sign_in import browser, holder_of
from tests.support.simulated_world import NOW, UNTIL, World, make_world

pytestmark = pytest.mark.slow

OWNER = somebody("enterprise_usage_based", "owner")


@pytest.fixture(scope="module")
def own(clickhouse: str) -> World:
    plan = Plan(until=UNTIL, seed=6, organizations=1, users=3, days=3)
    return make_world(clickhouse, f"issued_{uuid4().hex}", plan, lambda _: people_events())


@pytest.fixture(scope="module")
def issued(own: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its issued reports, for tests to copy."""
    folder, client = tmp_path_factory.mktemp("issued"), own.client()
    run_once(client, folder, NOW, own.sources, timedelta(hours=2))
    client.close()
    return folder


@pytest.fixture
def owner(own: World, issued: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """Somebody who sees spend, with the issued reports in `tmp_path`."""
    shutil.copytree(issued, tmp_path, dirs_exist_ok=True)
    with serve(context_of(own, reports_dir=tmp_path)) as served:
        yield browser(own, served, holder_of(OWNER))


def test_a_file_that_was_changed_is_not_served(
    owner: httpx.Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / OWNER.organization / "2026-11-19.r1.csv"
    address, content = f"/organizations/{OWNER.organization}/exports/issued/2026-11-19/1", file.read_bytes()
    served = owner.get(address)
    assert (served.status_code, served.content) == (200, content)
    assert f'spend-daily-{OWNER.organization}-2026-11-19.r1.csv"' in served.headers["content-disposition"]
    file.write_bytes(content + b"a row of mine\r\n")
    with caplog.at_level(logging.ERROR, "tally.api"):
        refused = owner.get(address)
    assert refused.status_code == 410
    assert b"a row of mine" not in refused.content
    assert "differs from the one that was issued" in refused.text
    assert f"{file} is not the file that was issued" in caplog.text
    assert sha256(content).hexdigest() in caplog.text
    file.write_bytes(content)
    assert owner.get(address).content == content
    file.unlink()
    assert owner.get(address).status_code == 404


def test_a_file_that_the_api_may_not_read_is_told_and_no_failure(
    owner: httpx.Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / OWNER.organization / "2026-11-19.r1.csv"
    file.unlink()
    file.symlink_to(file)  # nobody can read it, not even root
    with caplog.at_level(logging.ERROR, "tally.api"):
        refused = owner.get(f"/organizations/{OWNER.organization}/exports/issued/2026-11-19/1")
    assert (refused.status_code, "cannot be read on this machine" in refused.text) == (404, True)
    assert f"Cannot read {file}: " in caplog.text
    assert "Traceback" not in caplog.text
