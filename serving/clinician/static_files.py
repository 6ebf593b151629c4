"""Style, script and icons: read once, named by their content, so that a browser keeps them and a new version is a new name."""

from __future__ import annotations

import mimetypes

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving import problems
from serving.clinician.rendering import STATIC, static_address

NAMES = tuple(sorted(path.name for path in STATIC.iterdir() if path.is_file()))
FOR_A_YEAR = "public, max-age=31536000, immutable"


def route() -> Route:
    """Return the address of all files."""
    files = {static_address(name): _response(name) for name in NAMES}

    async def show(request: Request) -> Response:
        return files.get(request.url.path) or problems.of_status(404).response()

    return Route("/ui/static/{digest}/{name}", show)


def _response(name: str) -> Response:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response((STATIC / name).read_bytes(), media_type=kind, headers={"Cache-Control": FOR_A_YEAR})
