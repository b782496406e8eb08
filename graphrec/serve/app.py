"""A small HTTP service over one fitted model. Answers are the documents of the command line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse

from graphrec.errors import GraphrecError, UnknownIdError
from graphrec.recommender import Recommender


def make_app(model: Recommender) -> FastAPI:
    """GET /recommend, /similar, /explain, /why_not, /contrast and /health for a fitted model; /docs describes them.

    An unknown item answers 404, any other mistake in a request 422, each with one line in ``detail``.
    """
    app = FastAPI(title="graphrec", version=model.fitted.version)

    @app.exception_handler(GraphrecError)
    def mistake(_: Request, error: GraphrecError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404 if isinstance(error, UnknownIdError) else 422)

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "model_version": model.fitted.version, "counts": dict(model.fitted.data.counts())}

    @app.get("/recommend")
    def recommend(
        user_id: str,
        k: Annotated[int, Query(ge=1, le=1000)] = 10,
        query: str | None = None,
        history: Annotated[list[str], Query()] = [],  # noqa: B006
        seen: Literal["exclude", "allow", "only"] | None = None,
    ) -> dict[str, Any]:
        return model.recommend_document(user_id, k, query=query, history=history, seen=seen)

    @app.get("/similar")
    def similar(item_id: str, k: Annotated[int, Query(ge=1, le=1000)] = 10) -> dict[str, Any]:
        return model.similar_document(item_id, k)

    @app.get("/explain")
    def explain(user_id: str, item_id: str) -> dict[str, Any]:
        return model.explain(user_id, item_id).to_json()

    @app.get("/why_not")
    def why_not(user_id: str, item_id: str, k: Annotated[int, Query(ge=1, le=1000)] = 10) -> dict[str, Any]:
        return model.why_not(user_id, item_id, k).to_json()

    @app.get("/contrast")
    def contrast(user_id: str, item_id: str, other_id: str) -> dict[str, Any]:
        return model.contrast(user_id, item_id, other_id).to_json()

    return app
