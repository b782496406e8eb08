"""Whether it lives, is ready, what it is, and how it does."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from graphrec import __version__
from graphrec.errors import MissingModelError
from graphrec.serve import replies
from graphrec.serve.card import card
from graphrec.serve.routes.common import ONLY_KNOWN, answers, id_of, service_of
from graphrec.serve.service import Service, reply

router = APIRouter(tags=["the service"], dependencies=ONLY_KNOWN)


@router.get("/live", responses={200: {"model": replies.Told, "description": "The process answers."}})
async def live(request: Request) -> Response:
    """Whether the process answers at all."""
    return reply({"recommendation_id": id_of(request), **service_of(request).carried(), "status": "live"})


@router.get("/ready", responses={200: {"model": replies.Told, "description": "It answers questions."}})
async def ready(request: Request) -> Response:
    """Whether it answers questions, from which model, and what does not work. Names nobody and nothing of the data."""
    service = service_of(request)
    state, trial = service.state, service.state.trial
    return reply(
        {
            "recommendation_id": id_of(request),
            **service.carried(),
            "status": "ready",
            "artifact": state.current.artifact,
            "trial": None if trial is None else trial.to_json(),
            "refused": state.refused or None,
            "items_refused": len(state.current.refused),
            "erasures_pending": state.pending,
            "erasures_failed": service.unerased or None,
            "waiting": len(service.pool),
        }
    )


@router.get("/version", responses=answers(replies.Told))
async def version(request: Request) -> Response:
    """Of graphrec, and of the models that answer."""
    service = service_of(request)
    kept = [v.name for v in service.state.versions]
    return reply({"recommendation_id": id_of(request), **service.carried(), "graphrec": __version__, "kept": kept})


@router.get(
    "/metrics", responses={**answers(replies.Told), 200: {"description": "Text.", "content": {"text/plain": {}}}}
)
async def metrics(request: Request) -> Response:
    """What Prometheus reads."""
    service = service_of(request)
    found = service.metrics
    if found:
        found.waiting.set(len(service.pool))
        found.lost.set(service.recorder.lost)
        found.unseen.set(service.state.current.live.told)
        found.pending.set(service.state.pending)
        if (age := age_of(service)) is not None:
            found.age.set(age)
    try:
        return Response(found.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
    except MissingModelError as error:
        carried = {"recommendation_id": id_of(request), **service.carried()}
        return reply({"detail": str(error), **carried}, 503, {"retry-after": "3600"})


@router.get("/model", responses=answers(replies.Told))
async def model(request: Request) -> Response:
    """The model card: what it was learned from, its blocks, how it was measured, how fresh it is, what may be asked."""
    service = service_of(request)
    document = await service.run(lambda: card(service))
    return reply({"recommendation_id": id_of(request), **service.carried(), **document})


def age_of(service: Service) -> float | None:
    """Seconds since the model was learned; None where that is not known."""
    made = service.state.current.made
    return None if made is None else time.time() - made
