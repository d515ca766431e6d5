"""A ClickHouse whose user has a profile: a proxy that adds settings to each request, which wins where it says them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx


class Proxied(ThreadingHTTPServer):
    """Listens on a port of its own; `profile` may be changed while it does."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.profile: Mapping[str, str] = {}
        self.behind = httpx.Client(base_url=behind, timeout=60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxied

    def do_POST(self) -> None:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        asked = {name: value for name, value in self.server.profile.items() if name not in given}
        body = self._body()
        kept = {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "transfer-encoding")
        }
        kept["content-length"] = str(len(body))
        answer = self.server.behind.post(f"/?{urlencode(given | asked)}", content=body, headers=kept)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "content-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def with_profile(behind: str) -> Iterator[Proxied]:
    """A proxy before the ClickHouse at `behind`."""
    proxy = Proxied(behind)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()
