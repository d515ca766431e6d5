"""Compression piece by piece, ports, checksums of jars, delays."""

import gzip
import hashlib
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded import kafka_jars, ports
from deploy.embedded.compression import BadCompression, compressor, decompressor
from deploy.embedded.kafka_jars import JARS, FetchFailed, fetch_kafka
from deploy.embedded.passwords import kept_password
from deploy.embedded.ports import CLIENT_PORTS, KeptPorts, free_port, is_free
from deploy.embedded.supervisor import Backoff


def _zstd(data: bytes) -> bytes:
    _, pack = compressor("zstd")
    return pack.compress(data) + pack.flush()


@given(
    st.lists(st.binary(max_size=200), max_size=5),
    st.sampled_from(["lz4", "zstd", "gzip"]),
    st.integers(1, 50),
)
def test_pieces_of_any_size_come_back(pieces: list[bytes], encoding: str, step: int) -> None:
    name, pack = compressor(f"br, {encoding};q=0.5")
    assert name == encoding
    packed = b"".join([*(pack.compress(piece) for piece in pieces), pack.flush()])
    unpack = decompressor(encoding)
    parts = [part for at in range(0, len(packed), step) for part in unpack.unpack(packed[at : at + step])]
    unpack.finish()
    assert b"".join(parts) == b"".join(pieces)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("lz4", lz4.frame.compress), ("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_several_frames_are_one_body_and_a_cut_one_is_none(encoding: str, compress: object) -> None:
    assert callable(compress)
    body = compress(b"one") + compress(b"two")
    whole = decompressor(encoding)
    assert b"".join(whole.unpack(body)) == b"onetwo"
    whole.finish()
    cut = decompressor(encoding)
    assert b"".join(cut.unpack(body[:-1]))
    with pytest.raises(BadCompression):
        cut.finish()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("lz4", lz4.frame.compress), ("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", _zstd)],
)
def test_a_small_body_that_unpacks_to_much_comes_in_small_pieces(encoding: str, compress: Callable[..., bytes]) -> None:
    much = bytes(64 << 20)
    unpack = decompressor(encoding)
    sizes = [len(piece) for piece in unpack.unpack(compress(much) + compress(b"and more"))]
    unpack.finish()
    assert sum(sizes) == len(much) + len(b"and more")
    assert max(sizes) <= 1 << 20


def test_no_and_unknown_compression() -> None:
    assert compressor("br, identity")[0] == ""
    plain = decompressor("")
    assert list(plain.unpack(b"x")) == [b"x"]
    plain.finish()
    with pytest.raises(BadCompression, match="snappy"):
        decompressor("snappy")
    with pytest.raises(BadCompression, match="does not match"):
        list(decompressor("lz4").unpack(b"garbage, and more of it"))


def choose(folder: Path, name: str, preferred: int) -> int:
    """The port that a start over the folder chooses, which then ends."""
    with closing(KeptPorts(folder, folder / "locks")) as ports:
        return ports.choose(name, preferred)


def test_a_taken_port_is_avoided_and_a_chosen_one_kept(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
        first = choose(tmp_path, "kafka", port)
        assert first != port
    assert free_port(port) == port
    assert choose(tmp_path, "kafka", port) == first
    with socket.create_server(("127.0.0.1", first)):
        assert choose(tmp_path, "kafka", port) == port
    assert choose(tmp_path, "kafka", 0) == port


def test_no_client_gets_a_port_that_was_found_free() -> None:
    first, last = map(int, CLIENT_PORTS.read_text().split())
    found = {free_port() for _ in range(50)}
    assert len(found) > 40
    assert not found & set(range(first, last + 1))


@pytest.mark.parametrize("text", ["1024\t60999\n", "", "no range"])
def test_a_free_port_is_found_whatever_the_system_says_of_clients(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "range").write_text(text)
    monkeypatch.setattr(ports, "CLIENT_PORTS", tmp_path / "range")
    assert is_free(free_port())


def test_a_chosen_port_is_held_before_anybody_listens_there(tmp_path: Path) -> None:
    port = free_port()
    locks = tmp_path / "locks"
    with closing(KeptPorts(tmp_path / "one", locks)) as one, closing(KeptPorts(tmp_path / "two", locks)) as two:
        assert one.choose("kafka", port) == port
        others = {two.choose("kafka", port), two.choose("clickhouse", port), one.choose("clickhouse", port)}
        assert port not in others
        assert len(others) == 3


def test_passwords_are_made_once_and_are_for_their_owner(tmp_path: Path) -> None:
    made = {name: kept_password(tmp_path, name) for name in ("kafka", "clickhouse")}
    assert len({*made.values()}) == 2
    assert all(len(password) >= 40 for password in made.values())
    (tmp_path / "passwords.json").chmod(0o644)  # as a copy may have it
    assert {name: kept_password(tmp_path, name) for name in made} == made
    assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_backoff_doubles_up_to_its_bound() -> None:
    backoff = Backoff(first=0.5, longest=30)
    assert [backoff.delay(n) for n in (1, 2, 3, 7, 8, 1000)] == [0.5, 1, 2, 30, 30, 30]


def test_every_jar_has_a_version_and_a_checksum() -> None:
    assert f"org.apache.kafka:kafka_2.13:{kafka_jars.KAFKA_VERSION}" in JARS
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+", coordinates) for coordinates in JARS)
    assert all(re.fullmatch(r"[0-9a-f]{64}", checksum) for checksum in JARS.values())


class _Repository(ThreadingHTTPServer):
    """A Maven repository on this machine in which each jar's content is its path."""

    def __init__(self, lacks: str = "") -> None:
        self.lacks = lacks
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Jars)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Jars(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Repository)
        if self.path.endswith(".jar"):
            self.server.asked.append(self.path)
        found = self.path.endswith(".jar") and self.path != self.server.lacks
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(self.path)) if found else "0")
        self.end_headers()
        self.wfile.write(self.path.encode() if found else b"")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def repository() -> Iterator[Callable[..., _Repository]]:
    """Makes repositories and closes them."""
    with ExitStack() as made:
        yield lambda lacks="": made.enter_context(_Repository(lacks))


PATHS = {f"g:{name}:1": f"/g/{name}/1/{name}-1.jar" for name in "abc"}
THREE = {coordinates: hashlib.sha256(path.encode()).hexdigest() for coordinates, path in PATHS.items()}


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path: Path, repository: Callable[..., _Repository]) -> None:
    broken = repository(lacks=PATHS["g:b:1"])
    with pytest.raises(FetchFailed, match=r"g:b:1.*start again"):
        fetch_kafka(tmp_path, jars=THREE, repository=broken.url)
    there = {path.name for path in tmp_path.rglob("*.jar")}
    assert "b-1.jar" not in there
    sound, steps = repository(), []
    paths = fetch_kafka(tmp_path, lambda done, total, _: steps.append((done, total)), jars=THREE, repository=sound.url)
    assert len(sound.asked) == 3 - len(there)  # only what was missing
    assert steps[-1] == (3, 3)
    assert [path.read_text() for path in paths] == list(PATHS.values())
    sound.shutdown()
    assert fetch_kafka(tmp_path, jars=THREE, repository=sound.url) == paths
    assert {path.name for path in paths[0].parent.iterdir()} == {".lock", "a-1.jar", "b-1.jar", "c-1.jar"}


def test_an_exchanged_jar_is_refused(tmp_path: Path, repository: Callable[..., _Repository]) -> None:
    with pytest.raises(FetchFailed, match="g:a:1 is not the file that was tested"):
        fetch_kafka(tmp_path, jars={"g:a:1": "0" * 64}, repository=repository().url)
    assert not list(tmp_path.rglob("*.jar"))


@pytest.mark.parametrize("change", [lambda data: data + b"9 more", lambda data: data[:-1], lambda data: b""])
def test_a_jar_that_was_changed_later_is_fetched_anew(
    tmp_path: Path, repository: Callable[..., _Repository], change: Callable[[bytes], bytes]
) -> None:
    sound = repository()
    paths = fetch_kafka(tmp_path, jars=THREE, repository=sound.url)
    paths[1].write_bytes(change(paths[1].read_bytes()))
    assert [path.read_text() for path in fetch_kafka(tmp_path, jars=THREE, repository=sound.url)] == [*PATHS.values()]
    assert sound.asked.count(PATHS["g:b:1"]) == 2
    assert len(sound.asked) == 4
    paths[1].write_bytes(b"changed, and no network")
    with pytest.raises(FetchFailed, match="could not download g:b:1"):
        fetch_kafka(tmp_path, jars=THREE, repository=f"http://127.0.0.1:{free_port()}")


def test_no_network_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"could not download g:a:1 .* check the network"):
        fetch_kafka(tmp_path, jars={"g:a:1": "0" * 64}, repository=f"http://127.0.0.1:{free_port()}")
