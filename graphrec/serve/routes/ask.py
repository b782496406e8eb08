"""What to recommend, and what is alike."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from graphrec.model import answers as model_answers
from graphrec.serve import replies
from graphrec.serve.pool import Busy
from graphrec.serve.questions import Question, question_of
from graphrec.serve.routes.common import ONLY_KNOWN, Bodied, answers, body_of, id_of, service_of
from graphrec.serve.schemas import Ask, AskMany, AskQuery, SimilarQuery
from graphrec.serve.service import Service, finite, reply

router = APIRouter(tags=["recommendations"], route_class=Bodied)
CHUNK = 64  # people answered at once in a stream
AGAIN = 0.05  # seconds after which a stream asks again where the queue is full


@router.get("/recommend", responses=answers(replies.Recommendations, 404, 410))
async def recommend(request: Request, asked: Annotated[AskQuery, Query()]) -> Response:
    """The best items for a user, a history or basket, a text, or a mix of them."""
    return reply(await service_of(request).ask(body_of(Ask, asked), id_of(request)))


@router.post("/recommend", dependencies=ONLY_KNOWN, responses=answers(replies.Recommendations, 404, 408, 410, 413))
async def recommend_body(request: Request, asked: Ask) -> Response:
    """The same, asked in a body, which may also hold attributes, weights of blocks, and events to suppose."""
    return reply(await service_of(request).ask(asked, id_of(request)))


@router.post(
    "/recommend/batch",
    dependencies=ONLY_KNOWN,
    responses={
        **answers(replies.Recommendations, 404, 408, 413),
        200: {
            "description": "A JSON document a line, one for each user, all of one model.",
            "content": {"application/x-ndjson": {}},
        },
    },
)
async def batch(request: Request, asked: AskMany) -> Response:
    """Recommendations for many people as a stream of JSON lines, in their order."""
    service = service_of(request)
    shown, version = service.state.shown, service.state.current
    first = Ask(user_id=asked.user_ids[0], k=asked.k, filter=asked.filter, exclude=asked.exclude, seen=asked.seen)
    await service.run(lambda: question_of(service.state, first, "first"))  # a mistake is said before anything is sent

    def some(people: list[str]) -> str:
        lines = []
        questions = [_alike(service, first, user_id, version, shown) for user_id in people]
        outcomes = service.answering.answered_of(questions)
        for user_id, (document, error) in zip(people, outcomes, strict=True):
            if error is not None:
                document = {"user_id": user_id, "detail": str(error), "model_version": version.name, "degraded": []}
            lines.append(json.dumps(finite(document), ensure_ascii=False, separators=(",", ":")) + "\n")
        return "".join(lines)

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(asked.user_ids), CHUNK):
            people = asked.user_ids[start : start + CHUNK]
            while True:
                try:
                    yield (await service.pool.run(lambda people=people: some(people))).encode("utf-8", "replace")  # type: ignore[misc]
                    break
                except Busy:
                    await asyncio.sleep(AGAIN)

    return StreamingResponse(stream(), media_type="application/x-ndjson")


def _alike(service: Service, first: Ask, user_id: str, version: Any, shown: Any) -> Question:
    ask = first.model_copy(update={"user_id": user_id})
    return question_of(service.state, ask, secrets.token_hex(12), at=(version, shown))


@router.get("/similar", responses=answers(replies.Similar, 404))
async def similar(request: Request, asked: Annotated[SimilarQuery, Query()]) -> Response:
    """The items nearest to one."""
    service, id_ = service_of(request), id_of(request)
    version, shown = service.state.current, service.state.shown

    def found() -> dict[str, Any]:
        model, barred = version.model, version.barred(shown)
        service.state.visible(asked.item_id)
        table = model_answers.similar(model, asked.item_id, asked.k + len(barred))
        if len(barred):
            table = table[~np.isin(model.data.items.numbers(table["item_id"].tolist()), barred)]
            table = table.assign(rank=np.arange(1, len(table) + 1))
        degraded = [*table.attrs["degraded"], *service.state.faults.values()]
        items = model_answers.records(table.head(asked.k))
        carried = {"recommendation_id": id_, "model_version": version.name, "degraded": degraded}
        return {**carried, "item_id": asked.item_id, "items": items}

    return reply(await service.run(found))
