"""Another model takes over, on trial or for good, or does not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from graphrec.errors import ConfigError
from graphrec.serve import replies
from graphrec.serve.loading import reload
from graphrec.serve.routes.common import ONLY_KNOWN, Bodied, answers, id_of, service_of
from graphrec.serve.schemas import Reload
from graphrec.serve.service import Service, reply
from graphrec.serve.version import Version

router = APIRouter(prefix="/admin", tags=["administration"], dependencies=ONLY_KNOWN, route_class=Bodied)


@router.post("/reload", responses=answers(replies.Told, 404, 408, 413))
async def reload_(request: Request, asked: Reload) -> Response:
    """Read a model, and let it take over without a question lost; with a ``canary``, answer that share of users; with
    ``interleave``, have its lists merged with those of the one that answers, for that share of them.

    One that cannot be read, or gives no scores, is refused: the old one answers on, and /ready says which.
    """
    service = service_of(request)
    if asked.canary and asked.interleave:
        raise ConfigError("a model is on trial in one way at a time; give canary or interleave")
    share, interleaved = asked.canary or asked.interleave, bool(asked.interleave)
    version = await reload(service, asked.artifact, share, interleaved)
    _tell(request, "reload", artifact=version.artifact, share=share, interleaved=interleaved)
    return _said(request, service, version, "on trial" if share else "taken")


@router.post("/rollback", responses=answers(replies.Told, 408, 413))
async def rollback(request: Request) -> Response:
    """End a trial; without one, let the model before answer again."""
    service = service_of(request)
    version = service.state.back()
    _tell(request, "back")
    return _said(request, service, version, "back")


@router.post("/promote", responses=answers(replies.Told, 408, 413))
async def promote(request: Request) -> Response:
    """Let the model on trial answer everybody."""
    service = service_of(request)
    version = service.state.promote()
    _tell(request, "promote")
    return _said(request, service, version, "taken")


def _tell(request: Request, what: str, **said: object) -> None:
    others = getattr(request.app.state, "others", None)
    if others is not None:
        others.tell(what, **said)


def _said(request: Request, service: Service, version: Version, outcome: str) -> Response:
    carried = {"recommendation_id": id_of(request), **service.carried(version)}
    return reply({**carried, "outcome": outcome, "artifact": version.artifact})
