"""Why, why not, why rather this one, and whether a reason holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from graphrec.errors import ConfigError
from graphrec.serve import replies
from graphrec.serve.routes.common import ONLY_KNOWN, Bodied, answers, body_of, id_of, service_of
from graphrec.serve.schemas import Contrast, ContrastQuery, Receipt, Why, WhyNot, WhyNotQuery, WhyQuery
from graphrec.serve.service import reply

router = APIRouter(tags=["reasons"], route_class=Bodied)


@router.get("/explain", responses=answers(replies.Explained, 404))
async def explain(request: Request, asked: Annotated[WhyQuery, Query()]) -> Response:
    """Why an item scores as it does: parts of blocks, evidence with sources, a graph to draw, and a receipt."""
    return await explain_body(request, body_of(Why, asked))


@router.post("/explain", dependencies=ONLY_KNOWN, responses=answers(replies.Explained, 404, 408, 413))
async def explain_body(request: Request, asked: Why) -> Response:
    """The same, asked in a body, which may also hold attributes, weights of blocks, and events to suppose."""
    service = service_of(request)
    return reply(await service.run(lambda: service.reasons.explain(asked, id_of(request)), "explanation"))


@router.get("/why_not", responses=answers(replies.NotRecommended, 404))
async def why_not(request: Request, asked: Annotated[WhyNotQuery, Query()]) -> Response:
    """Why an item is not among the k recommended."""
    return await why_not_body(request, body_of(WhyNot, asked))


@router.post("/why_not", dependencies=ONLY_KNOWN, responses=answers(replies.NotRecommended, 404, 408, 413))
async def why_not_body(request: Request, asked: WhyNot) -> Response:
    """The same, asked in a body, which may also hold attributes, weights of blocks, and events to suppose."""
    service = service_of(request)
    return reply(await service.run(lambda: service.reasons.why_not(asked, id_of(request)), "explanation"))


@router.get("/contrast", responses=answers(replies.Contrasted, 404))
async def contrast(request: Request, asked: Annotated[ContrastQuery, Query()]) -> Response:
    """Why one item scores higher or lower than another."""
    return await contrast_body(request, body_of(Contrast, asked))


@router.post("/contrast", dependencies=ONLY_KNOWN, responses=answers(replies.Contrasted, 404, 408, 413))
async def contrast_body(request: Request, asked: Contrast) -> Response:
    """The same, asked in a body, which may also hold attributes, weights of blocks, and events to suppose."""
    service = service_of(request)
    return reply(await service.run(lambda: service.reasons.contrast(asked, id_of(request)), "explanation"))


@router.post("/verify", dependencies=ONLY_KNOWN, responses=answers(replies.Verified, 404, 408, 413))
async def verify(request: Request, asked: Receipt) -> Response:
    """Whether a receipt, or an answer by its id, holds: computed anew from the model that gave it."""
    service = service_of(request)
    if (asked.receipt is None) == (asked.recommendation_id is None):
        raise ConfigError("give a receipt, or the recommendation_id of an answer, and not both")
    if asked.receipt is not None:
        receipt = asked.receipt
        verified, why = await service.run(lambda: service.reasons.verify(receipt))
    else:
        name = str(asked.recommendation_id)
        verified, why = await service.run(lambda: service.answering.verify(name, service.recorder.find(name)))
    carried = {"recommendation_id": id_of(request), **service.carried()}
    return reply({**carried, "verified": verified, "why": why})
