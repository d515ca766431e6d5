"""Metrics and health on any address: everywhere for whoever reaches it, on this machine alone for no web page."""

import http.client

import pytest

from deploy.errors import ExitCode, UserError
from deploy.health_server import Telling, listen, serve
from worker.prometheus import Waiting

PAGES = [{"Host": "rebind.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]


def served(host: str) -> int:
    return serve(Telling(Waiting("it waits")), host, 0)


def status(address: str, port: int, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=60)
    connection.request("GET", "/metrics", headers=headers)
    return connection.getresponse().status


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("localhost", "127.0.0.1"),
        ("LOCALHOST", "127.0.0.1"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
    ],
)
def test_what_is_reached_from_this_machine_alone_answers_no_page(host: str, address: str) -> None:
    port = served(host)
    assert [status(address, port, headers) for headers in PAGES] == [403, 403, 403]
    named = f"[{host}]" if ":" in host else host
    for own in ({}, {"Host": f"{named}:{port}"}, {"Host": "localhost"}, {"Host": "127.0.0.1:1"}):
        assert status(address, port, own) == 200


@pytest.mark.parametrize(("host", "addresses"), [("0.0.0.0", ["127.0.0.1"]), ("::", ["127.0.0.1", "::1"])])
def test_what_is_reached_from_everywhere_answers_by_any_name(host: str, addresses: list[str]) -> None:
    port = served(host)
    for address in addresses:
        assert status(address, port, {"Host": "worker-1.tally.svc"}) == 200


@pytest.mark.parametrize("host", ["nosuch.invalid", "198.51.100.77", "::ffff:127.0.0.1", "no host"])
def test_a_host_that_is_none_of_this_machines_is_a_wrong_setting(host: str) -> None:
    with pytest.raises(UserError, match="not an address of this machine") as told:
        listen(host, 0)
    assert told.value.exit_code == ExitCode.USAGE
