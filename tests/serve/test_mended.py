"""A model that is to show more of its catalogue does so over HTTP too: every list is the one that it gives itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from graphrec.model.live import Live
from graphrec.recommender import Recommender
from graphrec.serve.app import make_app
from graphrec.serve.version import Version
from tests.serve.support import ask, fitted, ids

USER = "u9"


@pytest.fixture(scope="module")
def mended() -> Recommender:
    """The shop, where what would be shown first costs more than it is worth."""
    model = fitted().fitted
    prices = np.zeros(model.data.n_items, np.float32)
    first = Recommender.of(model).recommend(USER, 3)["item_id"]
    prices[model.data.items.numbers(list(first))] = 1e6
    fair = {"target": "gini:-20%", "strength": 1.0}
    return Recommender.of(replace(model, prices=prices, chosen={**model.chosen, "fair": fair}))


@pytest.fixture(scope="module")
def client(mended: Recommender) -> Iterator[TestClient]:
    version = Version(Live(mended.fitted), "shop")
    version.fill(100)
    with TestClient(make_app(version), base_url="http://127.0.0.1") as client:
        yield client


def test_every_list_is_re_ranked(client: TestClient, mended: Recommender) -> None:
    plain = list(fitted().recommend(USER, 5)["item_id"])
    own = list(mended.recommend(USER, 5)["item_id"])
    assert own != plain
    for _ in range(2):  # what was found once may be ready
        found = ask(client, "/recommend", user_id=USER, k=5)
        assert ids(found) == own
        assert found["changes"][0]["reranker"] == "exposure=1.0"
        assert found["next_cursor"] is None
    first, last = (ask(client, "/explain", user_id=USER, item_id=item, k=5)["moved"] for item in (plain[0], own[0]))
    assert [(m["reranker"], m["from"], m["to"]) for m in first + last] == [
        ("exposure=1.0", 1, None),
        ("exposure=1.0", 4, 1),
    ]
    boosted = ask(client, "/recommend", user_id=USER, k=5, pin=plain[0])
    assert ids(boosted)[0] == plain[0]
    assert [change["reranker"].partition("=")[0] for change in boosted["changes"]] == ["exposure", "pin"]
