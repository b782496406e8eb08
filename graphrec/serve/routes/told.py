"""What the service is told: events, items, and people who want to be forgotten."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response

from graphrec.errors import ConfigError
from graphrec.model.asked import position
from graphrec.serve import replies
from graphrec.serve.export import exported
from graphrec.serve.questions import told_of
from graphrec.serve.routes.common import ONLY_KNOWN, Bodied, answers, id_of, service_of
from graphrec.serve.schemas import LONGEST_ID, Event, EventBatch, ItemChange, clean
from graphrec.serve.service import Service, reply
from graphrec.serve.times import seconds_of
from graphrec.serve.version import Version


class AnyText(PathConvertor):
    """What a path may end in: Starlette's own has no line breaks."""

    regex = r"[\s\S]*"


register_url_convertor("any_text", AnyText())
router = APIRouter(tags=["what is known"], dependencies=ONLY_KNOWN, route_class=Bodied)
AnyId = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, description="Any text, percent-encoded."), AfterValidator(clean)
]
RESERVED = ("item_id", "title", "text", "user_id")
REWRITE = "`graphrec forget MODEL --store URL` takes out of it all who are erased; then POST /admin/reload"
ELSEWHERE = (
    "what models were fitted from, and copies of those and of the store: whoever fits from them knows them again"
)


@router.post(
    "/events",
    status_code=202,
    responses=answers(replies.Accepted, 408, 413, status=202, about="They are kept for good."),
)
async def events(request: Request, told: EventBatch) -> Response:
    """Take in events. They are on the disk, and in the next answer of whoever they are of, before this answers.

    An event whose ``source`` and ``event_id`` are known already changes nothing.
    """
    service = service_of(request)
    rows = [_row(n, event) for n, event in enumerate(told.events)]
    accepted, duplicates = await service.run(lambda: service.state.accept(rows))
    carried = {"recommendation_id": id_of(request), **service.carried()}
    return reply({**carried, "accepted": accepted, "duplicates": duplicates}, 202)


@router.get("/items", responses=answers(replies.Told))
async def items(
    request: Request, title: Annotated[str, Query(max_length=200)] = "", k: Annotated[int, Query(ge=1, le=1000)] = 20
) -> Response:
    """Items whose title or id holds some words."""
    service = service_of(request)
    version, shown = service.state.current, service.state.shown

    def found() -> list[dict[str, Any]]:
        data, words, out = version.model.data, title.casefold(), list[dict[str, Any]]()
        for number, (id_, name) in enumerate(zip(data.items.ids, data.item_titles, strict=True)):
            if words in str(name).casefold() or words in id_.casefold():
                if number in version.barred(shown):
                    continue
                out.append({"item_id": id_, "title": str(name)})
                if len(out) == k:
                    break
        return out

    carried = {"recommendation_id": id_of(request), **service.carried(version)}
    return reply({**carried, "items": await service.run(found)})


@router.get("/items/{item_id:any_text}", responses=answers(replies.ItemReply, 404))
async def item(request: Request, item_id: AnyId) -> Response:
    """What is known of an item."""
    service = service_of(request)
    document = await service.run(lambda: _item(service, service.state.current, item_id))
    return reply({"recommendation_id": id_of(request), **service.carried(), **document})


@router.put("/items/{item_id:any_text}", responses=answers(replies.ItemReply, 404, 408, 413))
async def put(request: Request, item_id: AnyId, told: ItemChange) -> Response:
    """Add an item, or say it anew; one that was hidden is shown again. What is told takes the place of what was known:
    title, text, and the attributes as a whole. What is not told stays."""
    return await _tell(request, item_id, told, hidden=False)


@router.patch("/items/{item_id:any_text}", responses=answers(replies.ItemReply, 404, 408, 413))
async def patch(request: Request, item_id: AnyId, told: ItemChange) -> Response:
    """Change what is known of an item: of its attributes those that are told; an empty list takes one away."""
    service = service_of(request)
    service.state.current.model.data.items.number(item_id)
    return await _tell(request, item_id, told, hidden=None)


@router.delete("/items/{item_id:any_text}", responses=answers(replies.ItemReply, 404))
async def hide(request: Request, item_id: AnyId) -> Response:
    """Hide an item: from now on it is in no answer, no explanation and no further page."""
    service = service_of(request)
    service.state.current.model.data.items.number(item_id)
    return await _tell(request, item_id, None, hidden=True)


@router.get("/users", responses=answers(replies.Told))
async def users(request: Request, k: Annotated[int, Query(ge=1, le=1000)] = 20, begins: str = "") -> Response:
    """Ids of some people whom the model knows."""
    service = service_of(request)
    version = service.state.current
    some = (id_ for id_ in version.model.data.users.ids if id_.startswith(begins))
    known = (id_ for id_ in some if not service.state.is_gone(id_, version.learned))
    found = [id_ for _, id_ in zip(range(k), known, strict=False)]
    return reply({"recommendation_id": id_of(request), **service.carried(version), "users": found})


@router.get("/users/{user_id:any_text}", responses=answers(replies.Profile))
async def profile(
    request: Request,
    user_id: AnyId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    export: Annotated[
        bool, Query(description="With all that is known of them: events, answers, what the model learned.")
    ] = False,
) -> Response:
    """All that is known of one person, for that person: interests, what they come from, and how they change."""
    service = service_of(request)

    def found() -> dict[str, Any]:
        version, shown = service.state.version_for(user_id), service.state.shown
        told = told_of(service.state, version, user_id)
        known: dict[str, Any] = {"moment": int(time.time())} | ({} if told is None else {"told": told})
        document = version.view(shown).profile(user_id, limit, **known)
        if export:
            document |= exported(service, version, user_id)
        degraded = [*document.get("degraded", ()), *service.state.faults.values()]
        return {**document, "heard": version.live.count(user_id), "degraded": degraded}

    return reply({"recommendation_id": id_of(request), **await service.run(found)})


@router.delete("/users/{user_id:any_text}", responses=answers(replies.Forgotten))
async def forget(request: Request, user_id: AnyId) -> Response:
    """Erase somebody: out of every answer at once, out of the store, and out of the models that were learned with them.
    The receipt says what is done, what is pending, and what remains elsewhere."""
    service = service_of(request)

    def forgotten() -> dict[str, Any]:
        service.recorder.forget(user_id)
        removed = dict(service.state.journal.forget(user_id))
        service.state.catch_up()
        service.recorder.forget(user_id)
        return {"user_id": user_id, "time": time.time(), "removed": removed, **outcome(service, user_id, removed)}

    return reply({"recommendation_id": id_of(request), **service.carried(), **await service.run(forgotten)})


def outcome(service: Service, user_id: str, removed: Mapping[str, Any]) -> dict[str, list[str]]:
    """What an erasure has done, what is pending, and what remains where no service reaches."""
    done, pending = ["answers: they are in none, of any model; nobody is told of them"], []
    if removed.get("scrubbed", True) is None:
        pending.append("store: their rows are deleted; their bytes go when a reader lets go of its file")
    else:
        done.append(f"store: rows and bytes are gone. {removed.get('how') or ''}".rstrip())
    held = [v for v in service.state.versions if user_id in v.held]
    then = "it is written anew without them soon, and takes over" if service.rewrites else REWRITE
    names = dict.fromkeys(f"model {v.artifact} {v.base}" for v in held)  # one folder, whatever it was told of items
    pending += [
        f"{name}: it was learned with what they did, which friends of theirs hear till then; {then}" for name in names
    ]
    if not held:
        done.append("models: none that answers was learned with them")
    return {"done": done, "pending": pending, "remains": [ELSEWHERE]}


async def _tell(request: Request, item_id: str, told: ItemChange | None, hidden: bool | None) -> Response:
    service = service_of(request)
    fields: dict[str, Any] | None = None
    if told is not None:
        if request.method == "PUT" and not told.attributes and "attributes" in told.model_fields_set:
            raise ConfigError("attributes: none are told; leave it out, or give an empty list for each that is no more")
        if taken := [name for name in told.attributes if name in RESERVED]:
            raise ConfigError(f"attributes: {taken[0]!r} cannot be the name of one; give title and text beside them")
        fields = {name: value for name, value in (("title", told.title), ("text", told.text)) if value is not None}
        fields |= {name: _written(value) for name, value in told.attributes.items()}
    if hidden is None and not fields:
        raise ConfigError("nothing is said of the item; give title, text or attributes")

    def tell() -> dict[str, Any]:
        service.state.tell(item_id, fields or ({} if hidden is False else None), hidden)
        return _item(service, service.state.current, item_id)

    document = await service.run(tell)
    return reply({"recommendation_id": id_of(request), **service.carried(), **document})


def _item(service: Service, version: Version, item_id: str) -> dict[str, Any]:
    data = version.model.data
    number = data.items.number(item_id)
    rows = data.item_attributes[(data.item_attributes["item_num"] == number).to_numpy()]
    attributes: dict[str, list[str]] = {}
    for key, value in zip(rows["key"].tolist(), rows["value"].tolist(), strict=True):
        attributes.setdefault(str(key), []).append(str(value))
    hidden = item_id in service.state.shown.hidden
    taken = len(version.model.ties.takers(number))
    return {
        "item_id": item_id,
        "title": str(data.item_titles[number]),
        "hidden": hidden,
        "attributes": attributes,
        "taken_by": taken,
    }


def _written(value: Any) -> Any:
    """A value as a file has it: true and false in words."""
    if isinstance(value, list):
        return [_written(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else value


def _row(n: int, event: Event) -> dict[str, Any]:
    row = event.model_dump(exclude_none=True)
    if event.place is not None:
        position(event.place, f"events.{n}.place:")
    row["time"] = seconds_of(event.time, f"events.{n}.time")
    return row
