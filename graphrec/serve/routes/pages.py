"""Pages: recommendations to look at and the documentation, from files of the package, so that no network is needed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent.parent / "static"
DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>graphrec: the API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/swagger/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/static/swagger/swagger-ui-bundle.js"></script>
<script src="/static/swagger/begin.js"></script></body></html>
"""


@router.get("/")
async def page() -> Response:
    """The page where somebody sees recommendations, why, and what would change them."""
    return HTMLResponse((STATIC / "page" / "index.html").read_text("utf-8"))


@router.get("/docs")
async def docs() -> Response:
    """The documentation of the API."""
    return HTMLResponse(DOCS)


class Files(StaticFiles):
    """Files of the package that pages are made of; Python's own are none of them."""

    def lookup_path(self, path: str) -> tuple[str, object]:  # type: ignore[override]
        """Where a file is. What is Python is not there."""
        return ("", None) if path.endswith((".py", ".pyc")) else super().lookup_path(path)


def mount(app: FastAPI) -> None:
    """Serve the files under /static."""
    app.mount("/static", Files(directory=STATIC), name="static")
