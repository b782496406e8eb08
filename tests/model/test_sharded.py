"""A model whose index is in shards answers as its twin of one index does, from fitting to serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graphrec as gr
from graphrec.model.model import Model
from graphrec.profile.shards import Shards
from graphrec.recommender import Recommender
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import QUICK, WordExtractor, fitted, town
from tests.serve.support import ask, serving

TWIN = QUICK.with_(blocks="popularity,spectral,neighbours")
SHARDED = TWIN.with_(retrieve={"shard": 5})
PEOPLE: list[tuple[Any, dict[str, Any]]] = [
    (["u0", "u1", "hater", "lone", "bare", "pal", "new", "nobody"], {}),
    *((user, {}) for user in ("u0", "hater", "pal", "nobody")),
    ("u3", {"seen": "allow"}),
    ("u3", {"seen": "only"}),
    ("u4", {"exclude": ["i2", "i9"]}),
    (None, {"history": ["i1", "i8"]}),
]


@pytest.fixture(scope="module")
def one() -> Recommender:
    return fitted(town(), TWIN)


@pytest.fixture(scope="module")
def several(one: Recommender) -> Recommender:
    new = Recommender(SHARDED, encoder=CountingEncoder(), extractor=WordExtractor())
    return new.fit(town(), one.fitted.chosen)


def same(found: Model, true: Model) -> None:
    """In all that is asked."""
    assert isinstance(found.index, Shards)
    assert not isinstance(true.index, Shards)
    for user, options in PEOPLE:
        for k in (1, 4, 100):
            pd.testing.assert_frame_equal(found.recommend(user, k, **options), true.recommend(user, k, **options))
    pd.testing.assert_frame_equal(found.similar("i3", 5), true.similar("i3", 5))
    assert found.explain("u0", "i2").score == pytest.approx(true.explain("u0", "i2").score, abs=1e-6)
    assert found.why_not("u0", "i5", 3).rank == true.why_not("u0", "i5", 3).rank


def test_a_sharded_model_answers_as_its_twin(several: Recommender, one: Recommender) -> None:
    sharded = several.fitted
    assert isinstance(sharded.index, Shards)
    assert [len(part) for part in sharded.index.parts] == [5, 5, 5, 2]
    same(sharded, one.fitted)


def test_it_does_so_once_it_is_read_again_and_served(several: Recommender, one: Recommender, tmp_path: Path) -> None:
    several.save(tmp_path / "model")
    assert sorted(file.name for file in (tmp_path / "model" / "index").iterdir()) == [
        f"0000{n}.faiss" for n in (1, 2, 3, 4)
    ]
    again = gr.load(tmp_path / "model").fitted
    same(again, one.fitted)
    answers = []
    for model in (again, one.fitted):
        with serving(model) as client:
            answers.append([ask(client, "/recommend", user_id=user, k=9)["items"] for user in ("u0", "pal", "nobody")])
    assert answers[0] == answers[1]


def test_it_does_so_with_what_is_new(several: Recommender, one: Recommender) -> None:
    new = pd.DataFrame({"user_id": ["u0", "fresh"], "item_id": ["brand new", "brand new"], "value": [5.0, 4.0]})
    same(several.fitted.updated(new), one.fitted.updated(new))
