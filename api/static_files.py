"""The dashboard's static files. Their names contain a hash of their content, so browsers may cache them forever."""

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from api.errors import NotFound

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "vary": "accept-encoding",
}


class Asset(Struct, frozen=True):
    """A static file, plain and compressed."""

    name: str
    content: bytes
    packed: bytes
    media_type: str


def _load(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        f"{path.stem}.{sha256(content).hexdigest()[:16]}{path.suffix}",
        content,
        gzip.compress(content, 9, mtime=0),
        TYPES[path.suffix],
    )


ASSETS = {path.name: _load(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
_BY_NAME = {asset.name: asset for asset in ASSETS.values()}


def url_of(file: str) -> str:
    """Return the address of a file, given its plain name."""
    return f"/assets/{ASSETS[file].name}"


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
def assets(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Send a file, by its name with the hash. It needs no sign-in, since static files contain no one's data."""
    asset = _BY_NAME.get(name)
    if asset is None:
        raise NotFound("There is no such file. A newer version may have replaced it: reload the page.")
    if "gzip" in request.headers.get("accept-encoding", ""):
        packed = {**HEADERS, "content-encoding": "gzip"}
        return Response(asset.packed, media_type=asset.media_type, headers=packed)
    return Response(asset.content, media_type=asset.media_type, headers=HEADERS)
