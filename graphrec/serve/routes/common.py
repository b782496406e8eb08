"""What the routes share: the service of a request, its id, and the statuses that the OpenAPI document names."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from graphrec.errors import ConfigError
from graphrec.serve.replies import Fault, Reply
from graphrec.serve.schemas import AskQuery, ContrastQuery, InBody, InQuery, SimilarQuery, WhyNotQuery, WhyQuery
from graphrec.serve.service import Service

Asked = TypeVar("Asked", bound=InBody)

_WHY = {
    401: "A key is needed, or this one is not known.",
    403: "This key has not the scope.",
    404: "There is no such item, or it is hidden.",
    405: "The path does not take this method.",
    408: "The body did not arrive in time.",
    410: "The model of this page is not kept any more.",
    413: "The body is too large.",
    422: "What is asked cannot be asked; one line says why.",
    429: "Too many requests; Retry-After says when.",
    500: "Something went wrong here.",
    503: "Too much is asked at once, or a part does not answer; Retry-After says when.",
}
LISTS = frozenset(  # parameters that may be told more than once
    name
    for model in (AskQuery, WhyQuery, WhyNotQuery, ContrastQuery, SimilarQuery)
    for name, field in model.model_fields.items()
    if any(get_origin(part) is list for part in (field.annotation, *get_args(field.annotation)))
)
ALWAYS = (401, 403, 422, 429, 500, 503)


async def only_known(request: Request) -> None:
    """Raises ConfigError for a parameter that the route has not: a misspelt one would be passed over in silence."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(f"{name}: there is no such parameter of {request.url.path}; {takes}")


async def said_once(request: Request) -> None:
    """Raises ConfigError for a parameter that is told twice and takes one value: the first would be passed over."""
    found = request.query_params.multi_items()
    if len(found) == len(request.query_params):
        return
    for name, n in Counter(name for name, _ in found).items():
        if n > 1 and name not in LISTS:
            raise ConfigError(f"{name}: it is told {n} times, and takes one value; tell it once")


class SaidOnce(Request):
    """A request in whose JSON a name that is told twice is refused: of two values one would be passed over."""

    async def json(self) -> Any:
        """The body. Raises HTTPException 422 for a name that is told twice in one object."""
        return json.loads(await self.body(), object_pairs_hook=_once)


class Bodied(APIRoute):
    """A route whose body is a ``SaidOnce``, and whose parameters, where one model says all of them, that model reads:
    FastAPI, which looks anew at every field of it at every request, is asked only for what it does not take."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As of any route."""
        handle, model = super().get_route_handler(), None if self.dependencies else _parameters(self.endpoint)

        async def once(request: Request) -> Response:
            if model is not None and (asked := _read(model, request)) is not None:
                return cast(Response, await self.endpoint(request=request, asked=asked))
            return await handle(SaidOnce(request.scope, request.receive))

        return once


def _parameters(endpoint: Callable[..., Any]) -> type[InQuery | SimilarQuery] | None:
    """The model that says all parameters of a route, ``asked``; None where it has another form."""
    hints = get_type_hints(endpoint)
    found = hints.get("asked")
    whole = set(hints) <= {"request", "asked", "return"}
    return found if whole and isinstance(found, type) and issubclass(found, InQuery | SimilarQuery) else None


def _read(model: type[InQuery | SimilarQuery], request: Request) -> InQuery | SimilarQuery | None:
    """What the parameters ask; None where something is wrong with them, or one is told more than once."""
    found = request.query_params.multi_items()
    said = {name: [value] if name in LISTS else value for name, value in found}
    try:
        return model.model_validate(said) if len(said) == len(found) else None
    except ValidationError:
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        name = next(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        raise HTTPException(422, f"the body tells {name[:100]!r} more than once in one object; tell it once")
    return out


ONLY_KNOWN = [Depends(only_known)]


def service_of(request: Request) -> Service:
    """The service that answers."""
    return cast(Service, request.app.state.service)


def id_of(request: Request) -> str:
    """The id of this answer."""
    return str(request.state.recommendation_id)


def answers(model: type[Reply], *others: int, status: int = 200, about: str = "The answer.") -> dict[int | str, Any]:
    """The statuses of a route, for its documentation."""
    out: dict[int | str, Any] = {status: {"model": model, "description": about}}
    for code in sorted({*ALWAYS, *others}):
        out[code] = {"model": Fault, "description": _WHY[code]}
    return out


def body_of(model: type[Asked], asked: InQuery) -> Asked:
    """What parameters ask, as the body that asks the same. Raises ConfigError."""
    weights = {"weights": _weights(asked.weights)} if asked.weights else {}
    return model.model_validate({**asked.model_dump(exclude_unset=True, exclude={"weights"}), **weights})


def _weights(texts: list[str]) -> dict[str, float]:
    """``["spectral:0.5,ease:1"]`` → weights by block. Raises ConfigError."""
    out: dict[str, float] = {}
    for text in (part for each in texts for part in each.split(",")):
        name, _, number = (part.strip() for part in text.rpartition(":"))
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not name or not math.isfinite(weight):
            raise ConfigError(f"weights: found {text!r}; write BLOCK:WEIGHT, such as spectral:0.5")
        if name in out:
            raise ConfigError(f"weights: {name} is told twice, {out[name]:g} and {weight:g}; tell it once")
        out[name] = weight
    return out
