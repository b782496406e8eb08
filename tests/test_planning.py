"""Planted costs are found again by the law, and what is foretold is told."""

from __future__ import annotations

import os
from dataclasses import replace
from math import ceil
from typing import Any

import pytest

from graphrec import planning
from graphrec.advising import advice
from graphrec.blocks.api import Size
from graphrec.config import Config
from graphrec.errors import ProcessError
from graphrec.evaluate.ranking import BLOCK
from graphrec.pilots import Pilot, Shape, Texts, scaled
from graphrec.planning import OF_EVENT, Plan, Stage, left, line, whole

BLOCKS = {"ease": Config().block("ease"), "popularity": Config().block("popularity")}


def planted(users: int, items: int) -> Pilot:
    """Costs by formulae; 500 MB are libraries."""
    shape = Shape(users, items, users * items // 100)
    stages = {
        "start": {"s": 5.0, "mb": 400.0},
        "loaded": {"s": 7.0, "mb": 450.0},
        "ease": {"s": 1 + 1e-9 * items**2 * (2_800 + items), "mb": 520 + 16 * items**2 / 2**20},
        "popularity": {"s": 3 + 1e-5 * (shape.events + users + items), "mb": 500 + 0.02 * (users + items)},
        "index": {"s": 0.0, "mb": 500.0},
    }
    for stage in stages.values():
        stage["mb"] += 2 * OF_EVENT * shape.events / 2**20  # data, and the training part of one fold
    asked = users // 3
    judging = {"popularity": 2 + 1e-6 * (BLOCK * ceil(asked / BLOCK) * items + 5_000 * asked)}
    stages["popularity"]["s"] += judging["popularity"]
    return Pilot(
        shape, stages, judging, asked, users // 2, 3 * items, frozenset(), 8, 0.01 * (users + items), 0.001 * items
    )


def test_planted_costs_are_found_again() -> None:
    wanted = planted(90_000, 8_000)
    found = whole([planted(300, 600), planted(900, 1_800)], wanted.shape, BLOCKS, 30_000)
    assert found["start"].seconds == 5.0
    for name in ("ease", "popularity", "index"):
        assert found[name].seconds == pytest.approx(wanted.stages[name]["s"])
        assert found[name].mb == pytest.approx(wanted.stages[name]["mb"])


def test_what_sits_out_in_a_pilot_holds_no_matrices() -> None:
    run = [replace(planted(*size), left_out=frozenset({"ease"})) for size in ((300, 600), (900, 1_800))]
    small = [replace(one, stages={"ease": {"s": 0.0, "mb": 500.0}}) for one in run]
    assert whole(small, Shape(90_000, 8_000, 10**6), BLOCKS, 10)["ease"].mb < 900, "and not 16 I², a gigabyte"


def test_links_of_rows_that_hold_one_item_cost_what_reading_them_does() -> None:
    """Where few took two items pairs of items are none to speak of; where many did they are all."""
    block = Config().block("neighbours")
    thin, dense = Size(10_000, 2_000, 12_000), Size(6_000, 3_000, 750_000)
    assert 30 * 24_000 < block.grows(thin) < 1.2 * 30 * 24_000
    assert block.grows(dense) > 750_000**2 / 6_000 + 5 * 3_000**2
    order = Config().block("transitions")
    assert order.grows(thin) > 2_000**3 / 4, "a filter stands beside the order, of a short side exact"
    assert order.grows(dense) < 10_000 * 750_000


def test_of_one_pilot_what_is_foretold_is_amid_what_may_be() -> None:
    """A stage takes what the pilot took, where nothing of it grows, or as much more as there is more of what it grows
    with; of memory beyond what the process began with."""
    half = planted(500, 400)
    found = whole([half], Shape(1_000, 400, 4_000), BLOCKS, 333)
    assert found["start"].seconds == 5.0
    assert "loaded" not in found
    judging = half.judging["popularity"]
    learning, judges = 5_400 / 2_900, (512 * 400 + 333 * 5_000) / (256 * 400 + 166 * 5_000)
    expected = judging * judges**0.5 + (half.stages["popularity"]["s"] - judging) * learning**0.5
    assert found["popularity"].seconds == pytest.approx(expected)
    assert found["ease"].seconds == pytest.approx(half.stages["ease"]["s"]), "which grows with items alone"
    data = [2 * OF_EVENT * pairs / 2**20 for pairs in (2_000, 4_000)]
    base = half.stages["start"]["mb"]
    beyond = half.stages["popularity"]["mb"] - data[0] - base
    assert found["popularity"].mb == pytest.approx(base + beyond * (1_400 / 900) ** 0.5 + data[1])


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


def test_who_judges_is_no_more_than_the_settings_ask_for_and_as_many_as_there_are() -> None:
    """Of 900 people half could judge weights: of 90,000 these would be 45,000, of whom 4 × 1,000 are asked, and of
    content 1,000."""
    run = [planted(300, 600), planted(900, 1_800)]
    judging = [256 * (one.people // 256 + 1) * one.shape.items + 5_000 * one.people for one in run]
    took = [{"weights": 1e-6 * d, "content": 1e-6 * d} for d in judging]
    run = [
        replace(one, stages={name: {"s": s, "mb": 900.0} for name, s in each.items()}, judging=each)
        for one, each in zip(run, took, strict=True)
    ]
    many, few = (whole(run, Shape(90_000, 8_000, 10**6), BLOCKS, most) for most in (10**6, 1_000))
    assert few["weights"].seconds == pytest.approx(1e-6 * (256 * 16 * 8_000 + 5_000 * 4_000))
    assert many["weights"].seconds == pytest.approx(1e-6 * (256 * 176 * 8_000 + 5_000 * 45_000))
    assert many["content"].seconds == pytest.approx(1e-6 * (256 * 4 * 8_000 + 5_000 * 1_000))


def test_entities_are_rows_of_what_is_decomposed() -> None:
    """Which it is by iterations where both sides are long, and exact where one is short, whatever the rank."""
    spectral, wide = (Config.load(None, [f"spectral.knowledge={of}"]).block("spectral") for of in ("0", "0,1"))
    size = Size(300, 1_500, 30_000)
    assert spectral.grows(size) == spectral.grows(size._replace(entities=9_000)) == 5 * 300**3 / 4
    assert wide.grows(size) == 5 * 300**3 / 4
    assert wide.grows(size._replace(entities=9_000)) == 3 * 300**3 / 4 + 3 * 1_500**3 / 4
    steps = 3 * 5 * 296 * (10**6 + 296 * 20_000 / 20) + 2 * 7 * 1_040 * (10**6 + 1_040 * 20_000 / 20)
    assert spectral.grows(Size(15_000, 5_000, 10**6)) == pytest.approx(steps)


def test_texts_that_are_left_cost_a_fit_what_they_cost_the_pilots() -> None:
    foretold = {"kg": Stage(9.0, 950.0), "features": Stage(9.0, 900.0)}
    took = Texts(5.0, 0.01, 1_200)
    assert left(took, 1_200, foretold) == {}, "the pilots have read them all"
    assert left(None, 0, foretold) == {}
    rest = left(took, 3_200, foretold)["texts"]
    assert (rest.seconds, rest.mb) == (5.0 + 20.0, 950.0)


def test_a_pilot_that_is_killed_is_told() -> None:
    with pytest.raises(ProcessError, match="leave the larger blocks out"):
        planning._alone(os._exit, 3)


def test_an_index_that_the_memory_holds_not_is_told() -> None:
    pilot = planted(300, 600)
    little = Config.load(None, ["retrieve.memory_gb=0.001"])
    told = planning._no_index(pilot, Shape(300, 600_000, 9_000), little)
    assert "0.001 GB hold no index of 600,000 items in 8 dimensions" in told
    assert planning._no_index(pilot, Shape(300, 600, 9_000), little) == ""
    assert scaled(little, Shape(300, 600_000, 9_000), 0.5, 0.5).retrieve.memory_gb == 0, "of a pilot there is no limit"
    assert f"the fit will be refused: {told}" in advice(plan_of(no_index=told), little, "fast")[0]


def plan_of(**changed: Any) -> Plan:
    stages = {"door": Stage(1.0, 600.0), "graph": Stage(700.0, 900.0), "spectral": Stage(100.0, 1_000.0)}
    return replace(Plan(Shape(100, 50, 400), stages, 1.0, 1.0, {}, 1.0), **changed)


def test_advice_names_the_stage_and_what_takes_over() -> None:
    config = Config.load(None, ["runtime.memory_gb=2"])
    told = " ".join(advice(plan_of(), config, "default"))
    assert "Memory suffices: 1.0 GB, most in spectral, of 2.0 GB (runtime.memory_gb)" in told
    assert "networks, 87% of it, are trained by all at once" in told
    assert "takes no longer than to foretell" not in told
    assert "takes no longer than to foretell" in " ".join(advice(plan_of(spent=900.0), config, "default"))
    little = Config.load(None, ["runtime.memory_gb=0.5"])
    told = " ".join(advice(plan_of(), little, "default"))
    assert "does not suffice" in told
    assert "leave spectral out" in told
    assert "a smaller spectral.memory_gb" in told
    door = plan_of(stages={"door": Stage(1.0, 600.0), "between": Stage(0.1, 550.0)})
    assert "What takes less: fewer rows or columns in the source; else" in " ".join(advice(door, little, "default"))
    between = plan_of(stages={"between": Stage(0.1, 700.0)})
    told = " ".join(advice(between, little.with_(blocks="popularity,ease"), "fast"))
    assert "most between stages, of 0.5 GB" in told
    assert "What takes less: --set split.k_core=5; else" in told
    assert "may not suffice" in " ".join(advice(plan_of(), little.with_(runtime={"memory_gb": 1.1}), "default"))
    many = plan_of(shape=Shape(10, 300_000, 50), left_out={"ease": "300000 items, the limit is 8000"})
    told = " ".join(advice(many, config, "fast"))
    assert "no longer exact above 200,000 items" in told
    assert "ease sits out: 300000 items" in told
