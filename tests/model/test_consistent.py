"""One person has one score for one item, whoever is asked for it and in whatever company."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.model.asked import one
from graphrec.profile.index import Index
from graphrec.recommender import Recommender
from tests.model.shop import QUICK, fitted, shop, town

BLOCKS = ("popularity,spectral,neighbours,ease,ials,semantic", "spectral", "semantic", "neighbours", "userknn")
PEOPLE: list[tuple[str | None, dict[str, Any]]] = [
    *((user, {}) for user in ("u0", "u3", "hater", "lone", "bare", "pal", "new")),
    ("u2", {"history": ["i1"]}),  # disliked before
    ("hater", {"history": ["i1"]}),
    ("a stranger", {"history": ["i1", "i1"]}),
    (None, {"history": ["unheard"]}),
    ("a stranger", {"friends": ["u0"]}),
    ("a stranger", {"attributes": {"city": "c1"}}),
    ("bare", {"friends": ["u0", "u1"]}),
    ("u0", {"friends": []}),
]


@pytest.fixture(scope="module", params=BLOCKS)
def model(request: pytest.FixtureRequest) -> Recommender:
    found = fitted(town(), QUICK.with_(blocks=request.param))
    weights = dict.fromkeys(found.config.blocks, 1.0)  # every block is heard
    return found.fit(found.fitted.data, {**found.fitted.chosen, "weights": weights})


@pytest.mark.parametrize(("user", "known"), PEOPLE)
def test_every_way_of_asking_has_one_score(model: Recommender, user: str | None, known: dict[str, Any]) -> None:
    fitted = model.fitted
    context = {name: value for name, value in known.items() if name != "history"}
    options: dict[str, Any] = {"history": known.get("history", ()), "context": context}
    scores = fitted.scores(one(fitted, user, **known))[0]
    of = dict(zip(fitted.data.items.ids, scores.tolist(), strict=True))
    for seen in ("exclude", "allow", "only"):
        for k in (1, 100):
            found = model.recommend(user, k, seen=seen, **options)
            np.testing.assert_allclose(found["score"], [of[i] for i in found["item_id"]], atol=2e-4)
            together = model.recommend([user or "nobody", "u5"], k, seen=seen, **options)
            together = together[together["user_id"] == (user or "nobody")]
            assert together["item_id"].tolist() == found["item_id"].tolist()
            np.testing.assert_allclose(together["score"], found["score"], atol=2e-4)
    first, *others = model.recommend(user, 3, **options)["item_id"].tolist()
    for item in {first, *others}:
        explained = model.explain(user, item, **known)
        assert explained.score == pytest.approx(of[item], abs=1e-3)
        assert sum(explained.shares.values()) == pytest.approx(of[item], abs=1e-3)
        assert model.why_not(user, item, 3, **known).score == pytest.approx(of[item], abs=1e-3)
    assert model.why_not(user, first, 3, **known).rank == 1, "as it is recommended"


def test_somebody_of_whom_nothing_is_known_is_told_so(model: Recommender) -> None:
    """They are answered, and what they are answered is explained."""
    told: list[dict[str, Any]] = [{}, {"friends": []}, {"attributes": {}}, {"history": []}]
    for nothing in told:
        found = model.recommend("a stranger", 1)
        explained = model.explain("a stranger", str(found["item_id"].iat[0]), **nothing)
        assert explained.score == pytest.approx(found["score"].iat[0], abs=1e-3)
        assert explained.text.startswith("Nothing is known yet of what you took")
        assert explained.to_json()["degraded"] == found.attrs["degraded"]
        assert explained.degraded[0].startswith("unknown_user")
        assert model.why_not("a stranger", "i1", 3, **nothing).text


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"attributes": ["city"]}, "attributes = "),
        ({"now": "some day"}, "is no time"),
        ({"place": "Berlin"}, "give latitude"),
        ({"place": (100, 0)}, "give latitude"),
    ],
)
def test_what_is_no_context_is_refused(model: Recommender, context: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        model.recommend("bare", 2, context=context)


def test_one_is_as_good_as_a_list_of_one(model: Recommender) -> None:
    def items(**options: Any) -> list[str]:
        return model.recommend("bare", 20, rerank=None, **options)["item_id"].tolist()

    assert items(history="i1") == items(history=["i1"])
    assert items(include="i1") == ["i1"]
    assert "i1" not in items(exclude="i1")
    assert items(context={"friends": "u0"}) == items(context={"friends": ["u0"]})
    for attributes in ({"city": "c1"}, {"city": ["c1"]}, {"city": ("c1", None)}):
        assert items(context={"attributes": attributes}) == items(context={"attributes": {"city": ["c1"]}})


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", None])
def test_k_is_a_whole_number(model: Recommender, k: Any) -> None:
    for ask in (model.recommend, model.similar):
        with pytest.raises(DataError, match=r"at least 1 item|no whole number"):
            ask("i1", k)
    with pytest.raises(DataError, match=r"at least 1 item|no whole number"):
        model.why_not("u0", "i1", k)


def test_from_the_question_to_the_best_items_it_is_six_functions(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours: list[list[str]] = []
    best = Index.best

    def counted(*args: Any) -> Any:
        code = [frame.f_code for frame, _ in traceback.walk_stack(sys._getframe(1))]
        ours.append([c.co_qualname for c in code if f"{os.sep}graphrec{os.sep}" in c.co_filename])
        return best(*args)

    monkeypatch.setattr(Index, "best", counted)
    model.recommend("u0", 3)
    model.recommend(["u0", "u1"], 3)
    assert ours == [["retrieve", "found_of", "batches", "Model.recommend", "Recommender.recommend"]] * 2


@pytest.mark.parametrize("blocks", ["ease", "popularity,ease", "popularity,userknn"])
def test_without_profiles_items_are_compared_by_their_links(blocks: str) -> None:
    found = fitted(shop(), QUICK.with_(blocks=blocks))
    found.fit(found.fitted.data, {**found.fitted.chosen, "weights": dict.fromkeys(found.config.blocks, 1.0)})
    near = found.similar("i4", 5)
    assert near["score"].gt(0).all()
    assert near["item_id"].str[1:].astype(int).mod(2).eq(0).all(), "of its taste"
    changes = found.recommend("u0", 8, rerank="diversity=0.9").attrs["changes"][0]
    assert changes["likeness"][1] < changes["likeness"][0], "the list is more diverse"


def test_an_item_that_is_like_no_other_is_said_to_be(model: Recommender) -> None:
    near = model.similar("unheard", 3)
    assert near["score"].ne(0).any()
    if not model.fitted.items[model.fitted.data.items.number("unheard")].any():
        assert near.attrs["degraded"]
