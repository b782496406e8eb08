"""Pilots are parts of the data with budgets as small, and planted costs are found again by the law."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graphrec import pilots, planning
from graphrec.advising import advice
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, DataError, ProcessError
from graphrec.pilots import Pilot, Shape, Stages, part, piloted, scaled
from graphrec.planning import OF_EVENT, Plan, Stage, line, whole
from graphrec.samples.many import generated
from tests.cli.support import SPECTRAL

QUICK = Config.load(None, ["blocks=popularity,spectral", "features.enabled=false", *SPECTRAL[1::2]])


BLOCKS = {"ease": Config().block("ease"), "popularity": Config().block("popularity")}


def planted(users: int, items: int) -> Pilot:
    """Costs by formulae; 500 MB are libraries."""
    shape = Shape(users, items, users * items // 100)
    stages = {
        "start": {"s": 5.0, "mb": 0.0},
        "ease": {"s": 1 + 1e-9 * items**2 * (2_800 + items), "mb": 520 + 16 * items**2 / 2**20},
        "popularity": {"s": 2 + 1e-6 * users * (items + 5_000), "mb": 500 + 0.02 * (users + items)},
        "index": {"s": 0.0, "mb": 500.0},
    }
    for stage in stages.values():
        stage["mb"] += 2 * OF_EVENT * shape.events / 2**20  # data, and the training part of one fold
    return Pilot(shape, stages, 0.01 * (users + items), 0.001 * items)


def test_planted_costs_are_found_again() -> None:
    wanted = planted(90_000, 8_000)
    found = whole(planted(300, 600), planted(900, 1_800), wanted.shape, BLOCKS)
    assert found["start"].seconds == 5.0
    for name in ("ease", "popularity", "index"):
        assert found[name].seconds == pytest.approx(wanted.stages[name]["s"])
        assert found[name].mb == pytest.approx(wanted.stages[name]["mb"])


@pytest.mark.parametrize(
    ("first", "second", "at_one"),
    [
        ((0.1, 3.0), (0.4, 6.0), 12.0),  # 2 + 10 x
        ((0.1, 6.0), (0.4, 5.0), 5.0),  # what falls does not grow
        ((0.1, 1.0), (0.4, 8.0), 20.0),  # what begins below nothing grows in proportion
        ((0.4, 5.0), (0.4, 8.0), 8.0),  # one size tells no slope
        ((0.0, 0.0), (1.0, 7.0), 7.0),
    ],
)
def test_the_line_has_neither_a_negative_offset_nor_slope(
    first: tuple[float, float], second: tuple[float, float], at_one: float
) -> None:
    assert line(first, second, 1.0) == pytest.approx(at_one)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [((0, 5, 5), "--users 0"), ((5, -1, 5), "--items -1"), ((5, 5, 0), "--events 0"), ((5, 5, 26), "have 25 pairs")],
)
def test_what_cannot_be_is_refused(sizes: tuple[int, int, int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Shape(*sizes)


@pytest.mark.parametrize(
    "shape", [Shape(1, 1, 1), Shape(2, 3, 4), Shape(300, 9_000, 40_000), Shape(10**8, 10**7, 10**9)]
)
def test_pilots_are_no_larger_than_the_whole(shape: Shape) -> None:
    (fewer, less), (people, items) = shape.sizes()
    assert 1 <= fewer <= people <= shape.users
    assert 1 <= less <= items <= min(shape.items, pilots.ITEMS)
    assert people * items * shape.events / shape.users / shape.items <= max(1.1 * pilots.EVENTS, people)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset.from_frames(generated(3_000, 120, 50))


def test_a_part_has_all_of_whom_it_has(data: Dataset) -> None:
    found = part(data, 30, data.n_items, 1)
    assert (found.n_users, found.n_items) == (30, data.n_items)
    counts = dict(zip(data.users.ids, np.bincount(data.events.user_nums, minlength=data.n_users), strict=True))
    assert np.bincount(found.events.user_nums, minlength=30).tolist() == [counts[one] for one in found.users.ids]
    smaller = part(found, 10, data.n_items, 1)
    assert set(smaller.users.ids) < set(found.users.ids)
    assert part(data, 30, 20, 1).n_items == 20


def test_budgets_are_as_small_as_the_part() -> None:
    config = Config.load(
        None, ["blocks=ease,graph,popularity", "graph.minutes=2", "blend.users=1000", "split.k_core=3"]
    )
    found = scaled(config, Shape(1_000, 10_000, 50_000), 0.1, 0.2)
    assert found.blocks == ("graph", "popularity")  # as on the whole catalogue, although the part is small enough
    assert found.graph.minutes == pytest.approx(0.04)
    assert (found.blend.users, found.split.k_core) == (100, 0)
    with pytest.raises(ConfigError, match="cannot learn from 10,000 items"):
        scaled(config.with_(blocks=("ease",)), Shape(1_000, 10_000, 50_000), 0.1, 0.2)


def test_a_stage_has_the_peak_within_it() -> None:
    stage, mb = Stages(), 2**20
    with stage("before"):
        pass
    with stage("large"):
        np.ones(300 * mb, np.uint8)
    with stage("after"):
        pass
    found = stage.ended()
    assert found["large"]["mb"] - found["before"]["mb"] > 250
    assert found["large"]["mb"] - found["after"]["mb"] > 250


def test_a_pilot_is_a_whole_fit(data: Dataset) -> None:
    found = piloted(data, QUICK, Shape(data.n_users, data.n_items, 2_000, 1))
    assert {"start", "kg", "popularity", "spectral", "weights", "index", "save", "between"} <= set(found.stages)
    assert all(stage["mb"] > 0 for name, stage in found.stages.items() if name != "start")
    assert found.disk_mb > found.index_mb > 0


def test_a_pilot_that_is_killed_is_told() -> None:
    with pytest.raises(ProcessError, match="leave the larger blocks out"):
        planning._alone(os._exit, 3)


def plan_of(**changed: Any) -> Plan:
    stages = {"door": Stage(1.0, 600.0), "graph": Stage(700.0, 900.0), "spectral": Stage(100.0, 1_000.0)}
    return replace(Plan(Shape(100, 50, 400), stages, 1.0, 1.0, {}, 1.0), **changed)


def test_advice_names_the_stage_and_what_takes_over() -> None:
    config = Config.load(None, ["runtime.memory_gb=2"])
    told = " ".join(advice(plan_of(), config, "default"))
    assert "Memory suffices: 1.0 GB, most in spectral, of 2.0 GB (runtime.memory_gb)" in told
    assert "networks, 87% of it, are trained by all at once" in told
    little = Config.load(None, ["runtime.memory_gb=0.5"])
    told = " ".join(advice(plan_of(), little, "default"))
    assert "does not suffice" in told
    assert "leave spectral out" in told
    assert "may not suffice" in " ".join(advice(plan_of(), little.with_(runtime={"memory_gb": 1.1}), "default"))
    many = plan_of(shape=Shape(10, 300_000, 50), left_out={"ease": "300000 items, the limit is 8000"})
    told = " ".join(advice(many, config, "fast"))
    assert "no longer exact above 200,000 items" in told
    assert "ease sits out: 300000 items" in told
