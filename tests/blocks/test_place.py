"""The place block: a planted town is found, is gone when shuffled, and what it says is told exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import graphrec as gr
from graphrec.blocks.api import FitInputs, Folds
from graphrec.blocks.place import NOWHERE, TELLS_NOTHING, Place, PlaceSettings, cells, shuffled
from graphrec.data.attributes import Column
from graphrec.data.dataset import TRAIN, VALID, Dataset, build
from graphrec.data.points import item_points
from graphrec.errors import DataError
from graphrec.evaluate.validation import Validation
from graphrec.profile.places import EARTH, FAR, PlaceBlock, apart, next_cell
from graphrec.query.fading import Fading
from graphrec.query.query import Queries, Query
from graphrec.query.ties import Ties
from graphrec.testing import BlockContract
from graphrec.testing.planted import world
from graphrec.types import Floats

HOUR, DAY = 3_600, 86_400


class TestContract(BlockContract):
    block = Place
    settings: ClassVar = {
        "scale": [1.0, 10.0],
        "power": [1.0, 4.0],
        "popular": [0.0, 0.5],
        "far": [0.1],
        "fade": [0.0, 1.0],
        "half_life": [0.0],
        "recent": [0.0],
        "near": [300.0],
        "week": [1.0],
    }
    telling: ClassVar = {"power": [0.0, 4.0]}


def towns(where: str = "home", n_users: int = 120, seed: int = 0) -> Dataset:
    """Four towns of 30 places. ``home``: everybody goes to those of one town. ``hour``: by day to those of one town, in
    the evening to those of the next; ``none``: to any. The last two of each are for validation."""
    random, n = np.random.default_rng(seed), 30
    rows, points = [], []
    for item in range(4 * n):
        lat, lon = 48 + item // n, 11 + random.normal(0, 0.01)
        points.append((f"i{item:03d}", "place", f"{lat + random.normal(0, 0.01):.5f},{lon:.5f}"))
    for user in range(n_users):
        home = user % 4
        left = [random.permutation(np.arange(t * n, (t + 1) * n)).tolist() for t in range(4)]
        for turn in range(12):
            evening = turn % 2 if turn < 10 else user % 8 // 4
            town = {"home": home, "hour": (home + evening) % 4, "none": int(random.integers(4))}[where]
            time = turn * DAY + (20 if evening else 8) * HOUR
            part = TRAIN if turn < 10 else VALID
            rows.append((f"u{user:03d}", f"i{left[town].pop():03d}", 1_600_000_000 // DAY * DAY + time, part))
    return build(
        "towns",
        pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"]),
        item_attributes=pd.DataFrame(points, columns=["item_id", "key", "value"]),
    )


def folds_of(data: Dataset) -> Folds:
    assert data.parts is not None
    ties = Ties(data.subset(np.equal(data.parts, TRAIN)))
    return Folds.of(FitInputs(ties, None), Validation(ties, data.subset(np.equal(data.parts, VALID)), k=10))


def worth(block: Place, folds: Folds) -> float:
    (fitted,), _ = block.tune(folds)
    return folds.value(lambda fold: fold.validation.per_user_ndcg_of(fitted.scores))


def test_a_planted_town_is_found_and_gone_when_shuffled() -> None:
    folds = folds_of(towns(n_users=32))  # so few that who took both tells little
    assert worth(Place(), folds) > 3 * worth(Place(PlaceSettings(power=(0.0,))), folds)
    data = towns("none")
    _, chosen = Place().tune(folds_of(data))
    assert chosen == {"left_out": TELLS_NOTHING}


def test_the_hour_is_heard_where_it_tells() -> None:
    folds = folds_of(towns("hour"))
    _, chosen = Place().tune(folds)
    assert chosen["hours"] > 0
    assert worth(Place(), folds) > 1.2 * worth(Place(PlaceSettings(hours=(0.0,))), folds)


def travels(n_users: int = 80, seed: int = 0) -> Dataset:
    """Four towns of a station and three quarters, some 10 km apart. Everybody comes and goes, always by a station, and
    then to the quarter of that town that they like. They have just come to where they were long ago, and shortest."""
    random, rows, points = np.random.default_rng(seed), [], []
    for town in range(4):
        for quarter, (north, east) in enumerate(((0, 0), (0.1, 0), (0, 0.15), (-0.1, 0))):
            for n in range(12):
                lat, lon = 48 + town + north + random.normal(0, 0.003), 11 + east + random.normal(0, 0.003)
                points.append((f"i{town}{quarter}{n:02d}", "place", f"{lat:.5f},{lon:.5f}"))
    for user in range(n_users):
        liked, came = random.integers(1, 4, 4), random.permutation(4)
        left = [random.permutation(12).tolist() for _ in range(4)]
        for visit, town in enumerate([*came, came[0]]):
            stay = 4 if town == came[0] else 7
            told = [(0, int(random.integers(12))), *((int(liked[town]), left[town].pop()) for _ in range(stay))]
            for turn, (quarter, n) in enumerate(told):
                part = VALID if visit == 4 and turn else TRAIN
                rows.append((f"u{user:03d}", f"i{town}{quarter}{n:02d}", (visit * 40 + turn) * DAY, part))
    return build(
        "travels",
        pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "part"]).drop_duplicates(["user_id", "item_id"]),
        item_attributes=pd.DataFrame(points, columns=["item_id", "key", "value"]),
    )


def test_what_lies_near_to_where_somebody_was_last_is_attended_to() -> None:
    """The last events alone tell the town, all events four quarters of four towns: which one it is both tell."""
    folds = folds_of(travels())
    _, chosen = Place().tune(folds)
    assert chosen["near"] > 0
    assert worth(Place(), folds) > 2 * worth(Place(PlaceSettings(near=(0.0,))), folds)


def test_without_coordinates_it_sits_out() -> None:
    bare = world(bare=True)
    (block,), chosen = Place().tune(bare.folds)
    assert chosen == {"left_out": NOWHERE}
    assert block.empty


def test_scores_are_those_of_a_naive_twin() -> None:
    block, ties, chosen = fitted_at_home()
    _, centres = cells(item_points(ties.data), chosen["cells"])
    counts = np.diff(ties.matrix.T.tocsr().indptr)
    for user in (0, 5, 11):
        taken = ties.history(user).tolist()
        scores = []
        for item in range(ties.data.n_items):
            near = 0.0
            for other in taken:
                ends = centres[block.cell_of[other]], centres[block.cell_of[item]]
                near += (1 + haversine(*ends) / 3.0) ** -2.0 / len(taken)
            told = np.log(1 + near / 0.1)
            scores.append((told if told >= 0.01 else 0.0) * (1 + counts[item]) ** 0.5)
        twin, found = np.array(scores), block.scores(Queries.stored(ties, np.array([user])))[0]
        np.testing.assert_allclose(found, twin / twin.std(), rtol=1e-3)


def fitted_at_home() -> tuple[PlaceBlock, Ties, dict[str, Any]]:
    ties = folds_of(towns()).inputs.ties
    chosen = {
        "scale": 3.0,
        "power": 2.0,
        "far": 0.1,
        "popular": 0.5,
        "recent": 0.0,
        "fade": 0.0,
        "half_life": 0.0,
        "hours": 0.0,
        "cells": 500,
        "reading": "alike",
    }
    block = Place().fit(FitInputs(ties, None), chosen)
    assert isinstance(block, PlaceBlock)
    return block, ties, chosen


def haversine(one: Floats, other: Floats) -> float:
    (a, b), (c, d) = np.radians(one), np.radians(other)
    return float(EARTH * np.arccos(np.clip(np.sin(a) * np.sin(c) + np.cos(a) * np.cos(c) * np.cos(b - d), -1, 1)))


def test_where_somebody_is_now_counts_and_is_told() -> None:
    block, ties, _ = fitted_at_home()
    town = np.arange(ties.data.n_items) // 30
    here = Queries.of(ties, [Query(place=(50.0, 11.0)), Query(place=(0.0, 0.0)), Query()])
    scores = block.scores(here)
    assert set(town[np.argsort(-scores[0])[:30]]) == {2}, "the nearest come first"
    assert not scores[1].any(), f"nothing lies within {FAR} km"
    assert not scores[2].any()
    known = Queries.of(ties, [Query(items=ties.history(0), strengths=np.ones(10, np.float32), place=(50.0, 11.0))])
    for item in (0, 61):
        told = block.effects(known, item)
        assert told.shares.sum() + told.rest == pytest.approx(float(block.score(known, item)[0]), rel=1e-5)
    assert block.effects(known, 61).rest > block.effects(known, 0).rest
    both = block.scores(known)[0]
    assert both.std() == pytest.approx(1, abs=1e-3)
    assert both[town == 2].mean() > both[town == 3].mean()


def test_points_come_from_attributes_then_from_events_and_none_is_out_of_range() -> None:
    events = pd.DataFrame(
        [("u", "a", 10.0, 20.0), ("u", "b", 30.0, 40.0), ("v", "b", 32.0, 42.0), ("v", "c", np.nan, np.nan)],
        columns=["user_id", "item_id", "latitude", "longitude"],
    )
    said = pd.DataFrame([("a", "place", "48.5,11.5"), ("d", "place", "95.0,11.0")], columns=["item_id", "key", "value"])
    found = item_points(build("points", events, item_attributes=said, item_columns=[Column("place", "point")]))
    np.testing.assert_allclose(found[:2], [[48.5, 11.5], [31.0, 41.0]])
    assert np.isnan(found[2:]).all()


def test_cells_are_as_fine_as_so_many_can_be() -> None:
    points = np.column_stack([48 + np.linspace(0, 2, 200), np.full(200, 11.0)])
    points[7] = np.nan
    few, many = cells(points, 10), cells(points, 1000)
    assert len(few[1]) <= 10 < len(many[1])
    assert few[0][7] == many[0][7] == -1
    known = np.arange(200) != 7
    np.testing.assert_array_equal(next_cell(points, many[1]), many[0])
    np.testing.assert_allclose(apart(many[1])[0, 1], haversine(many[1][0], many[1][1]), rtol=1e-3)
    dealt = shuffled(points)
    assert np.isnan(dealt[7]).all()
    assert sorted(dealt[known, 0]) == sorted(points[known, 0])
    assert Fading() == Fading(0.0, 0.0, 0)


def test_places_out_of_range_are_counted_and_set_aside(tmp_path: Path) -> None:
    rows = "".join(f"u{u},i{i}\n" for u in range(6) for i in range(5))
    (tmp_path / "events.csv").write_text(f"user_id,item_id\n{rows}")
    lines = "".join(f"i{i},{48 + i / 10},{11.5}\n" for i in range(3)) + "i3,91.5,11.0\ni4,48.0,-181.0\n"
    (tmp_path / "items.csv").write_text(f"item_id,latitude,longitude\n{lines}")
    data = Dataset.load(tmp_path)
    assert any("2 places lie beyond 90 or 180 degrees" in line for line in data.report.all_warnings())
    assert (~np.isnan(item_points(data)).any(axis=1)).sum() == 3
    lines = "".join(f"i{i},{-120 + i / 10},{48}\n" for i in range(5))  # all of them: the two are exchanged
    (tmp_path / "items.csv").write_text(f"item_id,latitude,longitude\n{lines}")
    data = Dataset.load(tmp_path)
    assert any("5 places lie" in line and "exchanged?" in line for line in data.report.all_warnings())
    assert np.isnan(item_points(data)).all()


def test_answers_hear_where_somebody_is_and_say_why(tmp_path: Path) -> None:
    settings = {"features": {"enabled": False}, "kg": {"enabled": False}}
    model = gr.Recommender(gr.Config().with_(blocks=["popularity", "place"], **settings)).fit(towns(n_users=32))
    found = model.recommend(None, 10, context={"place": (50.0, 11.0)})
    assert {int(item[1:]) // 30 for item in found["item_id"]} == {2}
    assert not [why for why in found.attrs["degraded"] if why.startswith("place")]
    for far in ((11.0, 50.0), (0.0, 0.0)):  # what nothing hears is said, as that of which both numbers are swapped
        said = model.recommend(None, 3, context={"place": far}).attrs["degraded"]
        assert any("no item is near it" in why for why in said)
    for user, item in ((None, str(found["item_id"].iat[0])), ("u001", "i061")):
        told = model.explain(user, item, place=(50.0, 11.0))
        assert "it is near where you are" in told.text, told.text
        assert "usually" not in told.text
    mine = model.recommend("u001", 5)["item_id"]
    assert {int(item[1:]) // 30 for item in mine} == {1}
    told = model.explain("u001", str(mine.iat[0]))
    assert "near" in told.text
    assert sum(told.shares.values()) == pytest.approx(told.score, abs=1e-4)
    model.save(tmp_path / "m")
    assert gr.load(tmp_path / "m").recommend("u001", 5)["item_id"].tolist() == mine.tolist()
    plain = gr.Recommender(gr.Config().with_(blocks=["popularity"], **settings)).fit(towns(n_users=32))
    said = plain.recommend(None, 3, context={"place": (50.0, 11.0)}).attrs["degraded"]
    assert any(why.startswith("place: where somebody is now is not heard") for why in said)


def test_where_new_events_were_is_where_a_new_item_is() -> None:
    settings = {"features": {"enabled": False}, "kg": {"enabled": False}}
    model = gr.Recommender(gr.Config().with_(blocks=["popularity", "place"], **settings)).fit(towns(n_users=32)).fitted
    event = {"user_id": "u001", "item_id": "new", "latitude": 50.0, "longitude": 11.0}
    for told in (
        [event],
        [{"user_id": "u002", "item_id": "i001"}, event],
    ):
        data = model.updated(told).data
        np.testing.assert_allclose(item_points(data)[data.items.number("new")], [50.0, 11.0])
        assert item_points(data)[0, 0] == pytest.approx(48, abs=0.1)
    for wrong in ({"latitude": 95.0}, {"longitude": None}, {"longitude": 181}):
        with pytest.raises(DataError, match="are no place; give both in degrees"):
            model.updated([{**event, **wrong}])
