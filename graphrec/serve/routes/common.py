"""What the routes share: the service of a request, its id, and the statuses that the OpenAPI document names."""

from __future__ import annotations

import math
from typing import Any, TypeVar, cast

from fastapi import Depends, Request

from graphrec.errors import ConfigError
from graphrec.serve.replies import Fault, Reply
from graphrec.serve.schemas import InBody, InQuery
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
ALWAYS = (401, 403, 422, 429, 500, 503)


async def only_known(request: Request) -> None:
    """Raises ConfigError for a parameter that the route has not: a misspelt one would be passed over in silence."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(f"{name}: there is no such parameter of {request.url.path}; {takes}")


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
    out = {}
    for text in (part for each in texts for part in each.split(",")):
        name, _, number = text.rpartition(":")
        try:
            out[name.strip()] = float(number)
        except ValueError:
            raise ConfigError(f"weights: found {text!r}; write BLOCK:WEIGHT, such as spectral:0.5") from None
        if not name or not math.isfinite(out[name.strip()]):
            raise ConfigError(f"weights: found {text!r}; write BLOCK:WEIGHT, such as spectral:0.5")
    return out
