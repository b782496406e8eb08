"""A small HTTP service over one fitted model. Answers are the documents of the command line."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from graphrec.errors import ConfigError, GraphrecError, UnknownIdError
from graphrec.model.asked import listed
from graphrec.recommender import Recommender

UserId = Annotated[str | None, Query(description="Who asks; may be left out where a history is given.")]
Ids = Annotated[list[str], Query(description="Item ids: repeated, or as a comma list.")]
Words = Annotated[str | None, Query(description="Free text to rank by, beside the profile.")]
Count = Annotated[int, Query(ge=1, le=1000)]


def make_app(model: Recommender) -> FastAPI:
    """GET /recommend, /similar, /explain, /why_not, /contrast and /health for a fitted model; /docs describes them.

    An unknown item answers 404, any other mistake in a request, an unknown parameter among them, 422; each with
    one line in ``detail``. An unknown user is one of whom no history is known: ``degraded`` says so.
    """
    app = FastAPI(title="graphrec", version=model.fitted.version, dependencies=[Depends(_only_known)])

    @app.exception_handler(GraphrecError)
    def mistake(_: Request, error: GraphrecError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404 if isinstance(error, UnknownIdError) else 422)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = (f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors())
        return JSONResponse({"detail": "; ".join(faults)}, 422)

    def known(user_id: str | None, history: list[str], query: str | None, words_do: bool = False) -> dict[str, Any]:
        items = listed(history, model.fitted.data.items)
        if user_id is None and not items and not (words_do and query and query.strip()):
            raise ConfigError(f"for whom? Give user_id, or history{', or a query' if words_do else ''}")
        return {"history": items, "query": query}

    @app.get("/health")
    def health() -> dict[str, Any]:
        fitted = model.fitted
        return {"status": "ok", "model_version": fitted.version, "counts": dict(fitted.counts or fitted.data.counts())}

    @app.get("/recommend")
    def recommend(
        user_id: UserId = None,
        k: Count = 10,
        query: Words = None,
        history: Ids = [],  # noqa: B006
        filter: Annotated[str | None, Query(description="Which items may come back: price < 50")] = None,
        exclude: Ids = [],  # noqa: B006
        seen: Literal["exclude", "allow", "only"] | None = None,
        rerank: Annotated[list[str], Query(description="diversity=0.3, cap=brand:2; repeated.")] = [],  # noqa: B006
    ) -> dict[str, Any]:
        without = listed(exclude, model.fitted.data.items)
        asked = known(user_id, history, query, words_do=True)
        return model.recommend_document(user_id, k, filter=filter, exclude=without, seen=seen, rerank=rerank, **asked)

    @app.get("/similar")
    def similar(item_id: str, k: Count = 10) -> dict[str, Any]:
        return model.similar_document(item_id, k)

    @app.get("/explain")
    def explain(item_id: str, user_id: UserId = None, history: Ids = [], query: Words = None) -> dict[str, Any]:  # noqa: B006
        return model.explain(user_id, item_id, **known(user_id, history, query)).to_json()

    @app.get("/why_not")
    def why_not(
        item_id: str,
        user_id: UserId = None,
        k: Count = 10,
        history: Ids = [],  # noqa: B006
        query: Words = None,
    ) -> dict[str, Any]:
        return model.why_not(user_id, item_id, k, **known(user_id, history, query)).to_json()

    @app.get("/contrast")
    def contrast(
        item_id: str,
        other_id: str,
        user_id: UserId = None,
        history: Ids = [],  # noqa: B006
        query: Words = None,
    ) -> dict[str, Any]:
        return model.contrast(user_id, item_id, other_id, **known(user_id, history, query)).to_json()

    return app


def _only_known(request: Request) -> None:
    """Raises ConfigError for a parameter that the route has not: a misspelt one would be passed over in silence."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            raise ConfigError(
                f"{name}: there is no such parameter; {request.url.path} takes {', '.join(known) or 'none'}"
            )


def without_query(record: logging.LogRecord) -> bool:
    """Leaves out of a line of uvicorn's access log who asked for what: the path alone is told."""
    if isinstance(record.args, tuple) and len(record.args) == 5:  # client, method, path, version, status
        client, method, path, *others = record.args
        record.args = (client, method, str(path).partition("?")[0], *others)
    return True
