"""Reasons are those of the answer: the same score, whoever asks, and the first recommendation has one."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import graphrec as gr
from graphrec.errors import DataError
from graphrec.explain.check import check
from graphrec.explain.words import AMONG
from graphrec.model.asked import one
from graphrec.model.retrieve import decided
from graphrec.profile.index import Index
from graphrec.recommender import Recommender
from graphrec.types import Explanation
from tests.model.shop import QUICK, fitted, town

BASKET = ["i0", "i4", "i6"]
ASKERS: dict[str, dict[str, Any]] = {
    "usual": {"user_id": "u0"},
    "by friends": {"user_id": "pal"},
    "by attributes": {"user_id": "new"},
    "by popularity": {"user_id": "bare"},
    "dislikes alone": {"user_id": "hater"},
    "told nothing apart": {"user_id": "lone"},
    "usual with words": {"user_id": "u1", "query": "strings and tone"},
    "by friends with words": {"user_id": "pal", "query": "strings and tone"},
    "by popularity with words": {"user_id": "bare", "query": "strings and tone"},
    "a basket": {"user_id": None, "history": BASKET},
    "a basket with words": {"user_id": None, "history": BASKET, "query": "neck"},
    "words alone": {"user_id": None, "query": "neck"},
    "further items": {"user_id": "u0", "history": ["i1", "i3"]},
    "a stranger's items": {"user_id": "nobody", "history": ["i1", "i3"]},
    "other friends": {"user_id": None, "friends": ["u1", "u3"]},
    "a city": {"user_id": None, "attributes": {"city": ["c1"]}},
}
FIRST = {
    "by friends": ("so what your friends took comes first", "your friend", "a friend of yours took this"),
    "by attributes": ("so what people of whom the same is known took comes first",),
    "by popularity": ("so what is popular with everyone comes first",),
    "dislikes alone": (
        "Nothing is known yet that you took and liked, so what is popular with everyone",
        "Nothing is known yet that you took and liked; this comes first because the graph network places it",
    ),
    "told nothing apart": (
        "What you took tells nothing apart here, so what is popular with everyone comes first",
        "because of its popularity",  # where their own items add a little all the same
        "because the graph network places it close to you",
        'because the graph network places it close to "unheard"',
    ),
    "by popularity with words": ("this comes first because it is what your words ask for",),
    "words alone": ("this comes first because it is what your words ask for",),
    "usual with words": ("it is what your words ask for",),
    "a city": ("so what people of whom the same is known took comes first",),
    "other friends": ("so what your friends took comes first", "a friend of yours took this"),
}


BLOCKS = {"few": ["spectral", "semantic", "popularity"], "all": list(QUICK.blocks)}


@pytest.fixture(scope="module", params=list(BLOCKS))
def model(request: pytest.FixtureRequest) -> Recommender:
    return fitted(town(), QUICK.with_(blocks=BLOCKS[request.param]))


def asked(model: Recommender, asker: str, k: int = 10) -> list[tuple[float, Explanation]]:
    """What somebody is recommended: each score with its explanation."""
    known = dict(ASKERS[asker])
    user_id, query = known.pop("user_id"), {"query": known.pop("query", None)}
    history = {"history": known.pop("history", ())}
    found = model.recommend(user_id, k, **history, **query, context=known)
    explanations = [model.explain(user_id, item, **history, **query, **known) for item in found["item_id"]]
    return list(zip(found["score"], explanations, strict=True))


@pytest.mark.parametrize("asker", ASKERS)
def test_the_score_explained_is_that_of_the_answer(model: Recommender, asker: str) -> None:
    found = asked(model, asker)
    assert len(found) == 10
    for score, explanation in found:
        size = sum(map(abs, explanation.shares.values())) + 1e-6
        assert explanation.score == pytest.approx(score, abs=1e-5 * size)
        assert sum(explanation.blocks.values()) == pytest.approx(score, abs=1e-5 * size)
        assert sum(explanation.shares.values()) == pytest.approx(score, abs=1e-5 * size)
        history = ASKERS[asker].get("history", ())
        data = model.fitted.data
        if asker != "other friends":  # what the caller says of friends is in no data
            assert check(explanation, data, model.fitted.graph, history) == []


@pytest.mark.parametrize("asker", FIRST)
def test_the_first_is_told_with_what_it_was_ranked_by(model: Recommender, asker: str) -> None:
    ((_, explanation),) = asked(model, asker, 1)
    assert any(words in explanation.text for words in FIRST[asker]), explanation.text


def test_everybodys_first_recommendation_has_a_reason(model: Recommender) -> None:
    """Nobody is told that nothing speaks for what they are recommended."""
    for user_id in model.fitted.data.users.ids:
        for item_id in model.recommend(user_id, 2)["item_id"][:1]:
            text = model.explain(user_id, item_id).text
            assert (
                " because " in text or " comes first" in text or " took this" in text or "less speaks against" in text
            )
            for never in ("nothing speaks for it", "no recommendation", "Not above zero"):
                assert never not in text, text


def test_one_recommendation_is_the_first_of_many(model: Recommender) -> None:
    for user_id in model.fitted.data.users.ids:
        one, many = model.recommend(user_id, 1), model.recommend(user_id, 5)
        assert str(one["item_id"].iat[0]) == str(many["item_id"].iat[0])
        assert one["score"].iat[0] == pytest.approx(many["score"].iat[0], abs=1e-6)


def test_a_basket_is_nobodys(model: Recommender) -> None:
    """A user is called "somebody": what they took and wrote is no part of an anonymous basket."""
    taken = set(model.recommend(None, 50, history=BASKET)["item_id"])
    assert "i1" in taken
    for item_id in model.fitted.data.items.ids:
        explanation = model.explain(None, item_id, history=BASKET)
        assert {key for key in explanation.shares if key.startswith("item:")} == {f"item:{i}" for i in BASKET}
        assert not any(e.kind == "mention" for e in explanation.evidence)
        assert all(e.path[0].head_label == "you" for e in explanation.evidence)


def test_why_not_and_contrast_of_a_basket(model: Recommender) -> None:
    answer = model.why_not(None, "i3", 1, history=BASKET)
    assert answer.rank > 1
    assert answer.needed_by == model.recommend(None, 1, history=BASKET)["item_id"].iat[0]
    gap = model.contrast(None, "i2", "i3", history=BASKET)
    size = sum(map(abs, gap.shares.values()))
    assert sum(gap.shares.values()) == pytest.approx(gap.difference, abs=1e-5 * size)
    assert model.why_not(None, "i0", history=BASKET).taken


@pytest.mark.parametrize("seen", ["exclude", "allow", "only"])
def test_places_are_those_among_what_is_recommended(seen: str) -> None:
    """Whether what somebody took is left out, ranked with the rest, or ranked alone."""
    model = fitted(town(), QUICK.with_(blocks=["spectral", "popularity"], seen=seen))
    data, ties = model.fitted.data, model.fitted.ties
    for user_id in ("u0", "u3", "hater", "new"):
        found = model.recommend(user_id, 100)
        ranking, scores = found["item_id"].tolist(), found["score"].to_numpy()
        for item_id in data.items.ids:
            answer = model.why_not(user_id, item_id, 3)
            taken = data.items.number(item_id) in ties.seen(data.users.number(user_id))
            assert answer.taken == taken
            assert answer.of == len(ranking)
            if item_id in ranking:
                score = scores[ranking.index(item_id)]  # equal ones may change places by rounding
                assert scores[answer.rank - 1] == pytest.approx(score, abs=1e-5)
                assert ("is recommended to you" in answer.text) == (answer.rank <= 3)
            else:
                assert answer.text.startswith("You already took" if taken else "You have not taken")
            explanation = model.explain(user_id, item_id)
            text = explanation.text
            noted = any(line.startswith("taken: ") for line in explanation.degraded)
            assert noted == (taken and seen == "exclude")
            assert not (noted and "of what you have not taken" in text), text
            if item_id in ranking and (told := re.match(r"At place (\d+) of (.*?)( because|;)", text)):
                assert scores[int(told[1]) - 1] == pytest.approx(scores[ranking.index(item_id)], abs=1e-5)
                assert told[2] == AMONG[seen]


def test_scores_of_everybody_are_those_of_the_answers(model: Recommender) -> None:
    from graphrec.query.query import Queries

    ties = model.fitted.ties
    scores = model.scores(Queries.stored(ties))
    for number, user_id in enumerate(model.fitted.data.users.ids):
        found = model.recommend(user_id, 5)
        nums = model.fitted.data.items.numbers(found["item_id"].tolist())
        assert scores[number, nums] == pytest.approx(found["score"].to_numpy(np.float32), abs=1e-4)


def test_friends_are_named_where_they_agreed() -> None:
    config = QUICK.with_(blocks=["spectral", "popularity"], explain={"agreed": "shares_name"})
    model = fitted(town(), config)
    item = str(model.recommend("pal", 1)["item_id"].iat[0])
    assert 'your friend "u0" took this' in model.explain("pal", item).text
    silent = gr.Recommender.of(model.fitted)
    assert "u0" not in silent.explain("u1", "i3").text


@pytest.mark.parametrize("limit", [-1, 1.5, "3", True])
def test_a_limit_that_is_no_number_of_pieces_is_refused(model: Recommender, limit: Any) -> None:
    for ask in (lambda: model.explain("u0", "i1", limit=limit), lambda: model.profile("u0", limit=limit)):
        with pytest.raises(DataError, match="is no number of pieces; give a whole number from 0 on"):
            ask()
    assert model.explain("u0", "i1", limit=0).evidence == ()


def test_the_catalogue_is_not_scored_for_a_reason_of_what_the_profile_decides(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, usual = model.recommend("u0", 1)["item_id"][0], model.explain("u0", model.recommend("u0", 1)["item_id"][0])
    monkeypatch.setattr(Index, "settled", None)
    assert model.explain("u0", item) == usual


def test_a_profile_decides_where_it_tells_items_apart(model: Recommender) -> None:
    query = one(model.fitted, "u0")
    profile, personal = np.ones(4, np.float32), np.array([True])
    level = np.ones((200, 4), np.float32)
    apart = level * np.linspace(1, 2, 200, dtype=np.float32)[:, None]
    for items, sparse, decides in ((level, None, False), (apart, None, True), (level, apart[:, 0], True)):
        model_of: Any = SimpleNamespace(items=items, index=Index.build(items, model.config.retrieve))
        assert decided(model_of, query, profile, sparse, personal) is decides
    assert not decided(model_of, query, profile, apart[:, 0], np.array([False]))
    assert not decided(model_of, one(model.fitted, "u0", query="neck"), profile, apart[:, 0], personal)
