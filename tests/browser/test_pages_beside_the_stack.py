"""What a web page of another origin can do to the embedded ClickHouse through a real browser: nothing.

The server here has no password, so that what holds is the refusal of web pages alone.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from sinks.client import connect
from tests.support.chromium import ELSEWHERE
from tests.support.stack import start_clickhouse

pytestmark = pytest.mark.slow

SECRET = "ada@example.com"
READ = "SELECT email FROM mine.people"
PLANT = "INSERT INTO mine.people VALUES ('planted')"
WRITE = "INSERT INTO FUNCTION file('{path}', 'LineAsString', 'l String') SELECT 'written by a page'"

PAGE = """<!doctype html><title>evil</title><body><script>
const base = {base}, statements = {statements};
const heard = [];
const get = text => base + "/?query=" + encodeURIComponent(text);
const hear = async (how, asked) => {{
  try {{ heard.push(how + ": " + (await (await asked).text())); }} catch (error) {{ heard.push(how + ": refused"); }}
}};
const loaded = element => new Promise(done => {{
  element.onload = element.onerror = done;
  document.body.append(element);
}});
const made = (tag, values) => Object.assign(document.createElement(tag), values);
window.all = (async () => {{
  for (const text of statements) {{
    await loaded(made("img", {{src: get(text)}}));
    await loaded(made("script", {{src: get(text)}}));
    await loaded(made("iframe", {{src: get(text)}}));
    await loaded(made("link", {{rel: "stylesheet", href: get(text)}}));
    for (const mode of ["no-cors", "cors"]) {{
      await hear(mode + " GET", fetch(get(text), {{mode}}));
      await hear(mode + " GET, no referrer", fetch(get(text), {{mode, referrerPolicy: "no-referrer"}}));
      await hear(mode + " POST", fetch(base + "/", {{mode, method: "POST", body: text}}));
      await hear(mode + " POST, in the URL", fetch(get(text), {{mode, method: "POST"}}));
    }}
    navigator.sendBeacon(base + "/", text);
    const form = made("form", {{method: "POST", action: base + "/", enctype: "text/plain", target: "inside"}});
    form.append(made("textarea", {{name: text + " --", value: ""}}));
    const inside = made("iframe", {{name: "inside"}});
    document.body.append(inside, form);
    const answered = new Promise(done => inside.onload = done);
    form.submit();
    await answered;
    inside.remove();
  }}
  return heard;
}})();
</script>"""
FORM = """<!doctype html><form method="POST" action="{base}/" enctype="text/plain">
<input name="{statement} --" value=""></form><script>document.forms[0].submit()</script>"""


@pytest.fixture(scope="module")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without a password, with one secret row."""
    running = start_clickhouse(tmp_path_factory.mktemp("beside"))
    client = connect(running.child.url, database="default")
    client.command("CREATE DATABASE mine")
    client.command("CREATE TABLE mine.people (email String) ENGINE = MergeTree ORDER BY email")
    client.command(f"INSERT INTO mine.people VALUES ('{SECRET}')")
    yield running.child.url
    running.stop()


class _Pages(http.server.BaseHTTPRequestHandler):
    """Serves one page at every address."""

    page = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(type(self).page)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def evil() -> Iterator[str]:
    """A web server of another origin on this machine, as a dev server or a notebook is; the URL of its page."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a fresh profile."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def untouched(clickhouse_url: str, tmp_path: Path) -> Iterator[Path]:
    """A path that a page tries to write to. After the test nothing is there, and nothing is planted."""
    path = tmp_path / "written"
    yield path
    assert not path.exists()
    client = connect(clickhouse_url, database="default")
    assert client.query(READ).result_rows == [(SECRET,)]


def url_of(clickhouse_url: str, name: str) -> str:
    return clickhouse_url.replace("127.0.0.1", name)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("origin", ["127.0.0.1", "localhost", ELSEWHERE])
def test_nothing_that_a_page_loads_fetches_or_submits_gets_through(
    page: Page, evil: str, clickhouse_url: str, untouched: Path, name: str, origin: str
) -> None:
    statements, port = [READ, PLANT, WRITE.format(path=untouched)], urlsplit(clickhouse_url).port
    _Pages.page = PAGE.format(base=json.dumps(url_of(clickhouse_url, name)), statements=json.dumps(statements)).encode()
    answers: list[int] = []
    page.on("response", lambda one: answers.append(one.status) if f":{port}/" in one.url else None)
    page.goto(evil.replace("127.0.0.1", origin))
    heard = page.evaluate("window.all")
    assert len(heard) == 8 * len(statements)
    assert not [line for line in heard if SECRET in line]
    assert answers
    assert {*answers} == {403}


@pytest.mark.parametrize("statement", [READ, PLANT, WRITE])
def test_a_page_that_navigates_there_gets_nothing(
    page: Page, evil: str, clickhouse_url: str, untouched: Path, statement: str
) -> None:
    target = f"{clickhouse_url}/?query={quote(statement.format(path=untouched))}"
    _Pages.page = f"<!doctype html><script>location = {json.dumps(target)}</script>".encode()
    page.goto(evil)
    page.wait_for_url(f"{clickhouse_url}/**")
    assert "only accepts requests from programs on the same machine" in page.content()


@pytest.mark.parametrize("statement", [READ, PLANT, WRITE])
def test_a_form_that_submits_itself_gets_nothing(
    page: Page, evil: str, clickhouse_url: str, untouched: Path, statement: str
) -> None:
    _Pages.page = FORM.format(base=clickhouse_url, statement=statement.format(path=untouched)).encode()
    page.goto(evil)
    page.wait_for_url(f"{clickhouse_url}/**")
    assert "only accepts requests from programs on the same machine" in page.content()


def test_another_name_that_leads_here_reads_nothing(page: Page, clickhouse_url: str, untouched: Path) -> None:
    """DNS rebinding: the page and the server have the same origin, for the browser."""
    port = urlsplit(clickhouse_url).port
    answer = page.goto(f"http://{ELSEWHERE}:{port}/ping")
    assert answer is not None
    assert answer.status == 403
    text = page.evaluate("async statement => (await fetch('/', {method: 'POST', body: statement})).text()", READ)
    assert SECRET not in text
    assert "only accepts requests from programs on the same machine" in text
