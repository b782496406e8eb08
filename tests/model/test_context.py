"""What is known of somebody at the moment of asking: time, place, friends, attributes; of strangers too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from graphrec.errors import DataError
from graphrec.model.asked import Asked, one
from graphrec.query.query import Query
from graphrec.recommender import Recommender
from tests.model.shop import fitted, town


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted(town())


def query(model: Recommender, user: str | None, context: dict[str, Any]) -> Query:
    """The one query that a call makes; ``explain`` asks with the same."""
    asked = Asked.of(model.fitted, user, context=context).queries.asked
    also = one(model.fitted, user, **context).asked
    assert asked is not None
    assert also is not None
    assert repr(asked[0]) == repr(also[0])
    return asked[0]


@pytest.mark.parametrize(
    "now",
    [
        1_600_000_000,
        1_600_000_000.9,
        np.int64(1_600_000_000),
        "2020-09-13T12:26:40Z",
        "1600000000",
        datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC),
        datetime(2020, 9, 13, 12, 26, 40),
    ],
)
def test_a_time_in_any_form_is_its_second(model: Recommender, now: Any) -> None:
    found = query(model, "u0", {"now": now}).now
    assert found == 1_600_000_000
    assert type(found) is int


def test_all_that_is_known_arrives(model: Recommender) -> None:
    data = model.fitted.data
    place, attributes = (48.1, 11.6), {"city": ["c1"]}
    for user, number in (("u0", data.users.number("u0")), ("stranger", -1), (None, -1)):
        context = {"now": 5, "place": place, "friends": ["u5", "u3", "u5"], "attributes": attributes}
        found = query(model, user, context)
        assert (found.user_num, found.now, found.place, found.attributes) == (number, 5, place, attributes)
        assert found.friends.tolist() == sorted(data.users.numbers(["u3", "u5"]).tolist())
        assert found.words == ""
        own = model.fitted.ties.history(number).tolist() if number >= 0 else []
        assert sorted(found.items.tolist()) == own


def test_what_is_not_said_is_what_the_data_knows(model: Recommender) -> None:
    ties, number = model.fitted.ties, model.fitted.data.users.number("pal")
    assert query(model, "pal", {"now": 5}).friends.tolist() == list(ties.friends(number))
    nobody = query(model, "pal", {"friends": []})
    assert nobody.friends.tolist() == []
    assert (
        model.recommend("pal", 3, context={"friends": []})
        .attrs["degraded"][-1]
        .startswith(("popularity", "no_history"))
    )


@pytest.mark.parametrize(
    ("friends", "said"),
    [(["u0", "u4"], ""), (["u0", "who", "whoever"], "2 of 3 ids are"), (["who"], "the id is")],
)
def test_friends_whom_nobody_knows_are_counted(model: Recommender, friends: list[str], said: str) -> None:
    for user in ("stranger", "u1"):
        found = model.recommend(user, 2, context={"friends": friends})
        notes = [note for note in found.attrs["degraded"] if note.startswith("unknown_friends")]
        assert notes == ([f"unknown_friends: {said} of nobody the model knows"] if said else [])
        assert [n for n in model.explain(user, "i1", friends=friends).degraded if n.startswith("unknown_f")] == notes


def parity(model: Recommender, user: str, k: int = 5, **context: Any) -> tuple[set[int], list[str]]:
    """Which tastes, even or odd, the best items are of; and the notes of the answer."""
    found = model.recommend(user, k, context=context)
    return {int(i[1:]) % 2 for i in found["item_id"]}, found.attrs["degraded"]


@pytest.mark.parametrize(("friends", "taste"), [(["u0", "u4"], 0), (["u1", "u5"], 1)])
def test_a_stranger_is_served_by_the_friends_they_bring(model: Recommender, friends: list[str], taste: int) -> None:
    found, notes = parity(model, "stranger", friends=friends)
    assert found == {taste}
    assert notes[0].startswith("unknown_user")
    assert notes[1] == "friends: ranked by what 2 of them took"


@pytest.mark.parametrize(("city", "taste"), [("c0", 0), ("c1", 1)])
@pytest.mark.parametrize("listed", [True, False])
def test_a_stranger_is_served_by_those_who_are_alike(model: Recommender, city: str, taste: int, listed: bool) -> None:
    found, notes = parity(model, "stranger", attributes={"city": [city] if listed else city})
    assert found == {taste}
    assert notes[1] == "attributes: ranked by what 12 of them took"


def test_friends_come_before_attributes_and_whom_nobody_knows_is_nobody(model: Recommender) -> None:
    assert parity(model, "stranger", 4, friends=["u1"], attributes={"city": ["c0"]})[0] == {1}
    assert parity(model, "stranger", 4, friends=["who"], attributes={"city": ["c0"]})[0] == {0}
    plain = model.recommend("stranger", 5)
    for known in ({"friends": ["who"]}, {"attributes": {"city": ["c9"]}}):
        found = model.recommend("stranger", 5, context=known)
        assert found["item_id"].tolist() == plain["item_id"].tolist()
        assert "popularity: ranked by what is popular with everyone" in found.attrs["degraded"]
    with pytest.raises(DataError, match="'mood' is no attribute of people"):
        model.recommend("stranger", 5, context={"attributes": {"mood": ["c0"]}})


def test_an_explanation_is_of_the_score_that_was_recommended(model: Recommender) -> None:
    for known in ({"friends": ["u0", "u4"]}, {"attributes": {"city": ["c1"]}}):
        best = model.recommend(None, 1, context=known)
        item = best["item_id"].iat[0]
        explained = model.explain(None, str(item), **known)
        assert explained.score == pytest.approx(best["score"].iat[0], rel=1e-5)
        assert sum(explained.shares.values()) == pytest.approx(explained.score, rel=1e-5)
        assert model.why_not(None, str(item), 3, **known).rank == 1


def test_a_batch_shares_what_is_known(model: Recommender) -> None:
    users, context = ["a stranger", "another"], {"attributes": {"city": ["c1"]}, "now": 7}
    batch = model.recommend(users, 4, context=context)
    for user in users:
        single = model.recommend(user, 4, context=context)
        assert batch[batch["user_id"] == user]["item_id"].tolist() == single["item_id"].tolist()


def test_what_is_nothing_that_is_known_is_refused(model: Recommender) -> None:
    for ask in (
        lambda: model.recommend("u0", context={"mood": "good"}),
        lambda: model.explain("u0", "i0", mood="good"),
        lambda: model.why_not("u0", "i0", mood="good"),
        lambda: model.contrast("u0", "i0", "i1", mood="good"),
    ):
        with pytest.raises(DataError, match="context: 'mood' is nothing that is known; there are now, place, friends"):
            ask()
