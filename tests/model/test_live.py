"""A profile that lives: one event is in it at once, as an update would have it; and what nobody can mean is refused."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.blocks._flow import FlowBlock
from graphrec.blocks.api import FitInputs
from graphrec.data.dataset import Dataset, build
from graphrec.data.kinds import Kind
from graphrec.errors import DataError
from graphrec.model.live import Live
from graphrec.model.model import Model
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties

DAY = 86_400
CONFIG = gr.Config().with_(
    blocks="popularity,season,spectral,ease,transitions",
    features={"enabled": False},
    kg={"enabled": False},
    spectral={"rank": [4], "beta": [0.5], "power": [0.0], "alpha": [0.5]},
    ease={"regularisation": [10]},
    transitions={"pilot": False},
    season={"pilot": False, "late": [7.0], "year": [4.0], "week": [1.0], "day": [1.0]},
)


def rows(n_users: int = 40, start: int = 0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    out = [
        (f"u{user}", f"i{item}", float(rng.integers(1, 6)), (start + turn) * DAY + user)
        for user in range(n_users)
        for turn, item in enumerate(rng.permutation(np.arange(user % 2, 24, 2))[:8])
    ]
    return pd.DataFrame(out, columns=["user_id", "item_id", "value", "timestamp"])


def rated(table: pd.DataFrame) -> Dataset:
    return build("rated", table, kinds=[Kind("review", values="rating", scale=(1, 5))])


@pytest.fixture(scope="module")
def model() -> Model:
    data = rated(rows())
    fitted = gr.Recommender(CONFIG).fit(data).fitted
    return gr.Recommender(CONFIG).fit(data, {**fitted.chosen, "weights": dict.fromkeys(CONFIG.blocks, 1.0)}).fitted


NEW: list[dict[str, Any]] = [
    {"user_id": "u3", "item_id": "i4", "value": 5.0, "timestamp": 20 * DAY},
    {"user_id": "u3", "item_id": "i6", "value": 1.0, "timestamp": 21 * DAY},
    {"user_id": "u3", "item_id": "i1", "value": 2.0, "timestamp": 22 * DAY},
    {"user_id": "a new one", "item_id": "i8", "value": 4.0, "timestamp": 22 * DAY},
    {"user_id": "a new one", "item_id": "i8", "value": 2.0, "timestamp": 23 * DAY},
]


def test_an_event_is_in_the_profile_as_an_update_has_it(model: Model) -> None:
    live = Live(model)
    for event in NEW:
        live.hear(**event)
        live.hear(**event)  # known by then
    later = model.updated(NEW)
    for name in ("u3", "a new one", "u5"):
        ours, theirs = live.query(name), query_of(later.ties, int(later.data.users.numbers([name])[0]))
        for column in ("items", "strengths", "times", "outright"):
            np.testing.assert_array_equal(getattr(ours, column), getattr(theirs, column), err_msg=f"{name} {column}")
    assert live.recommend("u5")["item_id"].tolist() == model.recommend("u5")["item_id"].tolist()
    assert not {"i4", "i6", "i1"} & set(live.recommend("u3", 40)["item_id"])
    assert live.recommend("a new one").attrs["degraded"] == model.recommend("nobody").attrs["degraded"], "a dislike"


def test_what_was_heard_is_learned_together(model: Model) -> None:
    live = Live(model)
    live.hear("u3", "a new item", value=5.0, timestamp=20 * DAY)
    live.hear("u3", "i4", value=5.0, timestamp=21 * DAY)
    assert len(live.pending) == 2
    assert "a new item" not in live.model.data.items
    later = live.absorbed()
    assert later is live.model
    assert not live.pending
    assert "a new item" in later.data.items
    assert later.data.events.timestamps is not None
    assert len(later.data.events) == len(model.data.events) + 2


# --- sums are exact ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.0, 3.0])
@pytest.mark.parametrize("reading", ["alike", "liked"])
def test_transitions_popularity_and_season_are_what_a_refit_has(model: Model, pause: float, reading: str) -> None:
    chosen = {**model.chosen["transitions"], "pause": pause, "reading": reading, "window": 7, "backward": 0.1}
    choices = {**model.chosen, "transitions": chosen, "weights": model.chosen["weights"]}
    first = gr.Recommender(CONFIG).fit(model.data, choices).fitted
    batches = [
        rows(6, 10, seed=1),
        pd.DataFrame(NEW),
        rows(44, 30, seed=2).assign(item_id=lambda t: "n" + t["item_id"]),
    ]
    later = first
    for batch in batches:
        later = later.updated(batch)
    assert later.data.n_users > model.data.n_users
    assert later.data.n_items > model.data.n_items
    for name in ("transitions", "popularity", "season"):
        ours = later.profiles[name]
        refit = CONFIG.block(name).fit(FitInputs(Ties(later.data), None), choices[name])
        a, b = (np.asarray(x.toarray() if hasattr(x, "toarray") else x) for x in (ours.items, refit.items))
        if pause:
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
            continue
        np.testing.assert_array_equal(a, b, err_msg=name)
        a, b = (np.asarray(x.toarray() if hasattr(x, "toarray") else x) for x in (ours.users, refit.users))
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert isinstance(later.profiles["transitions"], FlowBlock)


def test_a_model_that_was_read_back_learns_transitions_too(model: Model, tmp_path: Any) -> None:
    gr.Recommender.of(model).save(tmp_path / "m")
    read = gr.load(tmp_path / "m").fitted
    ours, theirs = (m.updated(NEW).updated(rows(6, 40, seed=4)) for m in (read, model))
    for name in ("transitions", "popularity", "season"):
        a, b = (np.asarray(m.profiles[name].items.sum()) for m in (ours, theirs))
        np.testing.assert_allclose(a, b, rtol=1e-6)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "says"),
    [
        (1_600_000_000_000, "2020-09-13 in milliseconds"),
        (1_600_000_000_000_000, "2020-09-13 in microseconds"),
        ("in ten days", "lies in the future"),
        ("2199-01-01", "lies in the future"),
        (float("inf"), "infinite"),
        (-5e12, "before 1970"),
        ("1899-12-31", "before 1970"),
        ("soon", "no time"),
    ],
)
def test_times_that_cannot_be(model: Model, when: Any, says: str) -> None:
    when = time.time() + 10 * DAY if when == "in ten days" else when  # a parameter is named alike in every process
    event = {"user_id": "u3", "item_id": "i4", "value": 5.0, "timestamp": when}
    with pytest.raises(DataError, match=says):
        model.updated([event])
    live = Live(model)
    with pytest.raises(DataError, match=says):
        live.hear(**event)
    assert not live.pending
    assert len(live.query("u3").items) == 8


def test_each_time_has_a_form_of_its_own(model: Model) -> None:
    whens = (1_577_836_800, "2020-01-01T01:00:00+01:00")
    told = model.updated([{"user_id": "new", "item_id": "i4", "value": 5.0, "timestamp": t} for t in whens])
    events = told.data.events
    assert events.timestamps is not None
    assert events.timestamps[events.user_nums == told.data.users.number("new")].tolist() == [1_577_836_800]


def test_a_word_for_a_time_has_a_remedy_of_its_own(model: Model) -> None:
    with pytest.raises(DataError, match="'soon' is no time; give seconds since 1970, datetimes or texts such as 20"):
        model.updated([{"user_id": "u3", "item_id": "i4", "value": 5.0, "timestamp": "soon"}])


def test_what_is_no_event(model: Model) -> None:
    live = Live(model)
    for said, says in ({"kind": "wish"}, "no kind"), ({"value": "high"}, "no number"), ({"colour": 1}, "no column"):
        with pytest.raises(DataError, match=says):
            live.hear("u3", "i4", **said)


def test_a_time_in_the_logs_own_future_is_one() -> None:
    ahead = int(time.time()) + 1000 * DAY
    data = rated(rows().assign(timestamp=lambda t: t["timestamp"] + ahead))
    model = gr.Recommender(CONFIG.with_(blocks="popularity")).fit(data).fitted
    later = model.updated([{"user_id": "u3", "item_id": "i4", "value": 5.0, "timestamp": ahead + 8 * DAY}])
    assert len(later.data.events) == len(data.events) + 1


def test_somebody_of_a_hundred_thousand_events_is_one_user(model: Model) -> None:
    """Each item counts once in a taste; blocks that read the end of a history read their last events of it."""
    n = 100_000
    table = pd.DataFrame({"user_id": "robot", "item_id": [f"i{k % 24}" for k in range(n)], "value": 5.0})
    later = model.updated(table.assign(timestamp=np.arange(n) + 100 * DAY))
    assert len(later.data.events) == len(model.data.events) + n
    query = Queries.of(later.ties, [query_of(later.ties, int(later.data.users.numbers(["robot"])[0]))])
    assert query.liked.nnz == 24
    live = Live(later)
    live.hear("robot", "i3", value=1.0, timestamp=200 * DAY)
    assert live.recommend(
        "robot",
        5,
    ).empty
    before = model.recommend("u5", 5)["item_id"].tolist()
    assert len(set(before) & set(later.recommend("u5", 5)["item_id"])) >= 3, "others are not drowned by it"
