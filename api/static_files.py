"""The dashboard's own few files. Their names carry a hash of what they hold, so a browser may keep them for ever."""

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
    """One file."""

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
    """The address of a file by its plain name."""
    return f"/assets/{ASSETS[file].name}"


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
def assets(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """One file, by its name with the hash. Needs no sign-in: nothing in it is anyone's."""
    asset = _BY_NAME.get(name)
    if asset is None:
        raise NotFound("There is no such file. A newer version may have replaced it: load the page again.")
    if "gzip" in request.headers.get("accept-encoding", ""):
        packed = {**HEADERS, "content-encoding": "gzip"}
        return Response(asset.packed, media_type=asset.media_type, headers=packed)
    return Response(asset.content, media_type=asset.media_type, headers=HEADERS)
