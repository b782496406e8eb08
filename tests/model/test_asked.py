"""Who is asked for, in whatever form: ids from tables, tables of users, histories; many at once or one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec.data.dataset import build
from graphrec.errors import DataError, UnknownIdError
from graphrec.recommender import Recommender
from tests.model.shop import QUICK, fitted, town


@pytest.fixture(scope="module")
def model() -> Recommender:
    return fitted(town())


@pytest.fixture(scope="module")
def numbered() -> Recommender:
    """Users 0 to 11 and items 100 to 109, as numbers in a table."""
    rows = [(str(u), str(100 + i)) for u in range(12) for i in range(10) if (u + i) % 3]
    return fitted(build("numbered", pd.DataFrame(rows, columns=["user_id", "item_id"])), QUICK.with_(blocks=["ease"]))


def alike(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert found["user_id"].tolist() == expected["user_id"].tolist()
    assert found["item_id"].tolist() == expected["item_id"].tolist()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5, atol=1e-5)


FORMS: list[Any] = [
    5,
    5.0,
    "5",
    np.int64(5),
    np.int32(5),
    np.float64(5),
    [5],
    (5.0,),
    np.array([5]),
    np.array([5.0]),
    pd.Series([5]),
    pd.Series(["5"]),
    pd.DataFrame({"user_id": [5]}),
    pd.DataFrame({"user_id": [5.0]}),
    pd.DataFrame({"user_id": ["5"]}),
    pd.DataFrame({"user_id": pd.array([5], "Int64")}),
]


@pytest.mark.parametrize("users", FORMS, ids=lambda users: f"{type(users).__name__}-{getattr(users, 'dtype', '')}")
def test_an_integer_id_from_a_table_is_found(numbered: Recommender, users: Any) -> None:
    found = numbered.recommend(users, 3)
    assert found["user_id"].tolist() == ["5"] * 3
    assert not [note for note in _notes(found) if note.startswith("unknown_user")]
    alike(found, numbered.recommend("5", 3))


def test_integer_ids_everywhere(numbered: Recommender) -> None:
    item = str(numbered.recommend(5, 1)["item_id"].iat[0])
    assert numbered.explain(5, int(item)).to_json() == numbered.explain("5", item).to_json()
    assert numbered.why_not(5, int(item)).rank == 1
    alike(numbered.recommend([1, 2], 2), numbered.recommend(["1", "2"], 2))
    alike(numbered.recommend(None, 2, history=[100, 101.0]), numbered.recommend(None, 2, history=["100", "101"]))
    alike(numbered.recommend(1, 2, exclude=[int(item)]), numbered.recommend("1", 2, exclude=[item]))
    pd.testing.assert_frame_equal(numbered.similar(100, 2), numbered.similar("100", 2))


@pytest.mark.parametrize("users", [5.5, True, [None], [float("nan")], np.array([1.5]), object()])
def test_what_is_no_id_is_refused(numbered: Recommender, users: Any) -> None:
    with pytest.raises(DataError, match="no id"):
        numbered.recommend(users)


def _notes(found: pd.DataFrame) -> list[str]:
    notes = found.attrs["degraded"]
    return notes if isinstance(notes, list) else [note for some in notes.values() for note in some]


# --- histories --------------------------------------------------------------------------------------------------------


def test_an_item_that_is_liked_already_changes_nothing(model: Recommender) -> None:
    """Neither order nor score, for everybody: friends and what was learned of the person beside it stay."""
    data, ties = model.fitted.data, model.fitted.ties
    for number, user_id in enumerate(data.users.ids):
        known = [data.items.ids[n] for n in ties.history(number)]
        for history in (known[:1], known):
            found = model.recommend(user_id, 8, history=history)
            pd.testing.assert_frame_equal(found, model.recommend(user_id, 8), check_exact=True)


def test_an_item_that_was_disliked_is_liked_now(model: Recommender) -> None:
    """u2 gave i1, of the other taste, one star."""
    before, after = (model.recommend("u2", 20, history=h, seen="allow").set_index("item_id") for h in ((), ["i1"]))
    odd = [f"i{n}" for n in range(3, 16, 2)]
    assert after["score"][odd].mean() > before["score"][odd].mean()
    assert "item:i1" in model.explain("u2", "i3", history=["i1"]).shares


def test_histories_in_every_form_are_the_same(model: Recommender) -> None:
    baskets = {"x": ["i0", "i4"], "y": ["i1"], "u3": ["i2", "i6"]}
    expected = pd.concat([model.recommend(who, 4, history=basket) for who, basket in baskets.items()])
    rows = pd.DataFrame([(who, item) for who, basket in baskets.items() for item in basket])
    for found in (
        model.recommend(None, 4, histories=baskets),
        model.recommend(list(baskets), 4, histories=baskets),
        model.recommend(list(baskets), 4, histories=list(baskets.values())),
        model.recommend(rows.set_axis(["user_id", "item_id"], axis=1), 4),
    ):
        alike(found, expected)
    nobody = model.recommend(None, 4, histories=list(baskets.values())[:2])
    assert nobody["item_id"].tolist() == expected["item_id"].tolist()[:8]
    some = model.recommend(["x", "u0"], 4, histories={"x": ["i0", "i4"]})
    alike(some, pd.concat([expected[:4], model.recommend("u0", 4)]))


def test_histories_that_do_not_fit_are_refused(model: Recommender) -> None:
    with pytest.raises(DataError, match="2 users and 1 histories"):
        model.recommend(["x", "y"], histories=[["i0"]])
    with pytest.raises(DataError, match="needs the column user_id; it has user"):
        model.recommend(pd.DataFrame({"user": ["u0"]}))
    with pytest.raises(UnknownIdError, match="'absent'"):
        model.recommend(None, histories=[["i0"], ["absent"]])
    with pytest.raises(DataError, match="'mood' is nothing that is known"):
        model.recommend("u0", context={"mood": "good"})
    with pytest.raises(DataError, match="seen = 'perhaps'"):
        model.recommend("u0", seen="perhaps")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["history", "exclude", "include"])
def test_one_id_needs_no_list(name: str, model: Recommender) -> None:
    one: dict[str, Any] = {name: "i14"}
    many: dict[str, Any] = {name: ["i14"]}
    alike(model.recommend("u0", 4, **one), model.recommend("u0", 4, **many))


@pytest.mark.parametrize("k", [2.5, "2", None, True])
def test_a_number_of_items_that_is_none_is_refused(k: Any, model: Recommender) -> None:
    with pytest.raises(DataError, match="is no whole number"):
        model.recommend("u0", k)
    with pytest.raises(DataError, match="is no whole number"):
        model.similar("i0", k)


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"now": "yesterdayish"}, "now = 'yesterdayish' is no time"),
        ({"now": True}, "now = True is no time"),
        ({"now": 1_752_537_600_000}, "milliseconds divided by 1000"),
        ({"place": "Berlin"}, "give latitude and longitude"),
        ({"place": (48.1, 200)}, "give latitude and longitude"),
        ({"attributes": "c0"}, "give a mapping"),
        ({"attributes": {"town": "c0"}}, "'town' is no attribute of people that was learned from; those are city"),
    ],
)
def test_a_context_that_says_nothing_is_refused(context: dict[str, Any], said: str, model: Recommender) -> None:
    with pytest.raises(DataError, match=said):
        model.recommend("stranger", context=context)


def test_what_stands_beside_words_is_said_so(model: Recommender) -> None:
    assert "popularity: beside the words ranked by what is popular with everyone" in _notes(
        model.recommend("nobody", 3, query="neck")
    )
    assert "popularity: ranked by what is popular with everyone" in _notes(model.recommend(None, 3))


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"seen": "allow"}, {"seen": "only"}, {"history": ["i3"]}, {"query": "neck"}])
@pytest.mark.parametrize("k", [1, 5, 100])
def test_a_batch_is_its_users_one_by_one(model: Recommender, options: dict[str, Any], k: int) -> None:
    users = [*model.fitted.data.users.ids, "stranger"]
    batch = model.recommend(users, k, **options)
    single = [model.recommend(user, k, **options) for user in users]
    alike(batch, pd.concat(single))
    assert batch.attrs["degraded"] == {u: s.attrs["degraded"] for u, s in zip(users, single, strict=True) if _notes(s)}


def test_an_empty_question_changes_nothing(model: Recommender) -> None:
    for user_id in ("u0", "pal", "new", "nobody", None):
        plain = model.recommend(user_id, 8)
        for nothing in ("", "  ", None):
            pd.testing.assert_frame_equal(model.recommend(user_id, 8, query=nothing), plain)
        pd.testing.assert_frame_equal(model.recommend(user_id, 8, history=[], context={}), plain)
    item = str(model.recommend("u0", 1)["item_id"].iat[0])
    assert model.explain("u0", item, query="").to_json() == model.explain("u0", item).to_json()


def test_nobody_is_asked_for(model: Recommender) -> None:
    found = model.recommend([], 5)
    assert len(found) == 0
    assert list(found.columns) == ["user_id", "item_id", "score", "rank", "title"]
    assert found.attrs["degraded"] == {}
