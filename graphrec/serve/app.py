"""The HTTP service over fitted models: its parts put together. Answers are the documents of the command line."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from graphrec import __version__
from graphrec.errors import GraphrecError, UnknownIdError
from graphrec.model.live import Live
from graphrec.recommender import Recommender
from graphrec.serve.cursor import CursorGone
from graphrec.serve.eraser import Eraser
from graphrec.serve.guard import Guard
from graphrec.serve.journal import Journal, Memory
from graphrec.serve.loading import Others
from graphrec.serve.oidc import Tokens
from graphrec.serve.pool import Busy
from graphrec.serve.routes import admin, ask, pages, told, watch, why
from graphrec.serve.routes.common import said_once
from graphrec.serve.service import Service, Slow, reply
from graphrec.serve.settings import Serving
from graphrec.serve.version import Version

ABOUT = (
    "Recommendations with reasons that can be checked. Every answer carries `recommendation_id`, `model_version` and "
    "`degraded`; unknown parameters are refused. See docs/serving.md."
)


def make_app(
    model: Recommender | Version,
    journal: Journal | None = None,
    settings: Serving | None = None,
    folder: Path | None = None,
    keyed: bool = False,
    hosts: Collection[str] = (),
    store: str = "",
) -> FastAPI:
    """A service that answers from a model.

    Args:
        model: to begin with. journal: where events are kept; in memory by default. folder: where artifacts lie side by
            side. keyed: whether every request needs a key. hosts: names under which it may be asked, any by default.
        store: the URL of the journal's, for what other processes do.

    An unknown item answers 404, any other mistake in a request 422, too much at once 429 or 503 with Retry-After; each
    with one line in ``detail``. Whatever fails of the model, a list is given, and ``degraded`` says what it lacks.
    """
    version = model if isinstance(model, Version) else Version(Live(model.fitted), made=model.fitted.made)
    service = Service(version, journal or Memory(), settings, folder)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.start)
        shared = os.environ.get("GRAPHREC_WORKERS_SHARE")
        tasks, tell = [], _alone
        if shared:
            app.state.others = Others(Path(shared))
            tasks.append(asyncio.create_task(app.state.others.listen(service)))
            tell = app.state.others.tell
        if service.settings.erasure.rewrite and store and folder is not None:
            tasks.append(asyncio.create_task(Eraser(service, store, tell).run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(service.stop)

    app = FastAPI(
        title="graphrec",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(said_once)],
    )
    app.state.service = service
    for routes in (ask, why, told, watch, admin, pages):
        app.include_router(routes.router)
    pages.mount(app)
    _faults(app, service)
    limits = service.settings.limits
    app.add_middleware(
        Guard,
        journal=service.state.journal,
        limits=limits,
        metrics=service.metrics,
        keyed=keyed,
        carried=service.carried,
        hosts=hosts,
        tokens=Tokens(service.settings.oidc) if service.settings.oidc else None,
        tracing=service.tracing,
        full=service.pool.full,
    )
    return app


def _alone(what: str, **said: Any) -> None:
    """There are no other workers to be told."""


def _faults(app: FastAPI, service: Service) -> None:
    def said(request: Request, detail: str, status: int, headers: dict[str, str] | None = None) -> Response:
        id_ = getattr(request.state, "recommendation_id", "")
        return reply({"detail": detail, "recommendation_id": id_, **service.carried()}, status, headers)

    @app.exception_handler(GraphrecError)
    async def mistake(request: Request, error: GraphrecError) -> Response:
        detail = " ".join(str(error).split())
        if type(error).__name__ == "StoreError":
            service.state.fault("store", error)
            return said(request, "the store does not answer; nothing was kept", 503, {"retry-after": "5"})
        status = 404 if isinstance(error, UnknownIdError) else 410 if isinstance(error, CursorGone) else 422
        return said(request, detail, status)

    @app.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> Response:
        service.metrics.refuse("queue")
        return said(request, str(error), 503, {"retry-after": str(error.seconds)})

    @app.exception_handler(Slow)
    async def slow(request: Request, error: Slow) -> Response:
        service.metrics.refuse("time")
        return said(request, str(error), 503, {"retry-after": "1"})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [_fault(fault, request) for fault in error.errors()]
        return said(request, "; ".join(dict.fromkeys(faults)), 422)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # bytes that are no text
            return said(request, "the body is no JSON in UTF-8", 422)
        detail, headers = str(error.detail), dict(error.headers or {})
        if (error.status_code, detail) == (404, "Not Found"):
            detail = "there is no such path; /docs lists all"
        if error.status_code == 405:
            takes = next((value for name, value in headers.items() if name.lower() == "allow"), "")
            detail = f"this path does not take {request.method}{f', but {takes}' * bool(takes)}; /docs lists all"
        return said(request, detail, error.status_code, headers)


def _fault(fault: dict[str, Any], request: Request) -> str:
    where = ".".join(map(str, fault["loc"][1:])) or str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        return f"{where}: there is no such parameter; {request.url.path} is described at /docs"
    if fault["loc"] == ("body",) and fault["type"] != "json_invalid":
        kind = request.headers.get("content-type", "")
        if fault["type"] == "missing":
            return "there is no body; send JSON, with content-type: application/json"
        if "json" not in kind:
            found = f"is {kind[:100]!r}" if kind else "is missing"
            return f"the content-type {found}, so the body is not read as JSON; send content-type: application/json"
    if fault["type"] == "json_invalid":
        return f"the body is no JSON (at {where})"
    return f"{where}: {str(fault['msg']).removeprefix('Value error, ')}"
