"""Serves the styles and scripts of the pages. Browsers cache them until they change."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

YEAR = 365 * 24 * 3_600
"""The cache lifetime in seconds. The address of a file contains its digest, so its content never
changes."""


@cache
def _files() -> dict[str, tuple[str, bytes, bytes]]:
    """Return the digest, content and compressed content of each file by name."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            found[path.name] = (digest, content, gzip.compress(content, 9, mtime=0))
    return found


def address(root: str, name: str) -> str:
    """Return the address of a file, with its digest."""
    return f"{root}/static/{_files()[name][0]}/{name}"


async def serve(request: Request) -> Response:
    """Answer with a file.

    Raises:
        HTTPException: with 404 if there is no such file.
    """
    name, asked = request.path_params["name"], request.path_params["digest"]
    known = _files().get(name)
    if known is None or known[0] != asked:
        raise HTTPException(404)
    _, content, compressed = known
    headers = {"cache-control": f"public, max-age={YEAR}, immutable", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = compressed
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=_TYPES[Path(name).suffix], headers=headers)
