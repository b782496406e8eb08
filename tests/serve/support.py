"""A service in this process over a model that is quick to fit, and how to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from graphrec.model.live import Live
from graphrec.model.model import Model
from graphrec.recommender import Recommender
from graphrec.serve.app import make_app
from graphrec.serve.journal import Journal
from graphrec.serve.service import Service
from graphrec.serve.settings import Serving
from graphrec.serve.version import Version
from tests.model.shop import fitted as model_of
from tests.model.shop import shop

CARRIED = ("recommendation_id", "model_version", "degraded")


@cache
def fitted() -> Recommender:
    """The shop's model, fitted once."""
    return model_of(shop())


@contextmanager
def serving(
    model: Model | None = None,
    journal: Journal | None = None,
    settings: dict[str, Any] | None = None,
    folder: Path | None = None,
    artifact: str = "",
    keyed: bool = False,
    hosts: tuple[str, ...] = (),
) -> Iterator[TestClient]:
    """A running service; ``service_of`` has its parts."""
    version = Version(Live(model or fitted().fitted), artifact)
    app = make_app(version, journal, Serving.model_validate(settings or {}), folder, keyed, hosts)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def service_of(client: TestClient) -> Service:
    """The parts of a running service."""
    found = client.app.state.service  # type: ignore[attr-defined]
    assert isinstance(found, Service)
    return found


def ask(client: TestClient, path: str, expect: int = 200, **parameters: Any) -> Any:
    """The answer to a GET."""
    found = client.get(path, params=parameters)
    assert found.status_code == expect, found.text
    return found.json()


def post(client: TestClient, path: str, body: Any, expect: int = 200) -> Any:
    """The answer to a POST."""
    found = client.post(path, json=body)
    assert found.status_code == expect, found.text
    return found.json()


def ids(answer: Any) -> list[str]:
    """The items of an answer, in order."""
    return [row["item_id"] for row in answer["items"]]


def said(answer: Any) -> Any:
    """An answer without what every one carries of its own."""
    own = (*CARRIED[:1], "next_cursor", "scenario", "receipt")
    return {name: value for name, value in answer.items() if name not in own}
