"""Pilots are parts of the data with budgets as small, and planted costs are found again by the law."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec import pilots, planning
from graphrec.advising import advice
from graphrec.blocks.api import Size
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, DataError, ProcessError
from graphrec.evaluate.ranking import BLOCK
from graphrec.features.cache import ContentCache
from graphrec.features.encoder import CachedEncoder
from graphrec.features.text import item_descriptions
from graphrec.fit import Fitting, learn_from
from graphrec.knowledge.unread import Unread, unread
from graphrec.pilots import Pilot, Shape, Texts, part, piloted, scaled
from graphrec.planning import OF_EVENT, Plan, Stage, left, line, whole
from graphrec.runtime import Runtime
from graphrec.samples.many import generated
from graphrec.settings import KGConfig
from graphrec.stages import Clock, Stages
from tests.cli.support import SPECTRAL
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import WordExtractor, shop

QUICK = Config.load(None, ["blocks=popularity,spectral", "features.enabled=false", *SPECTRAL[1::2]])


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


@pytest.mark.parametrize(
    ("sizes", "said"),
    [((0, 5, 5), "--users 0"), ((5, -1, 5), "--items -1"), ((5, 5, 0), "--events 0"), ((5, 5, 26), "have 25 pairs")],
)
def test_what_cannot_be_is_refused(sizes: tuple[int, int, int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Shape(*sizes)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(1, 1, 1),
        Shape(2, 3, 4),
        Shape(20_000, 12_000, 200_000),
        Shape(300, 900, 40_000),
        Shape(10**8, 10**7, 10**9),
    ],
)
def test_pilots_are_no_larger_than_the_whole(shape: Shape) -> None:
    *smaller, (people, items) = shape.sizes()
    assert 1 <= people <= max(shape.users // 2, 1)
    assert 1 <= items <= min(shape.items, max(pilots.ITEMS, pilots.ITEMS * pilots.PEOPLE // people))
    alone = people == max(shape.users // 2, 1) and items == shape.items
    assert len(smaller) == (not alone), "half of the people with all items are pilot enough"
    assert all(1 <= fewer <= people and 1 <= less < items for fewer, less in smaller)
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


def test_few_people_are_piloted_with_more_items() -> None:
    """Else what ten people and a million items take would be told from two thousand items."""
    _, (people, items) = Shape(10, 1_000_000, 50).sizes()
    assert people == 5
    assert items == 120_000


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


def test_what_is_within_what_is_timed_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes at each look at the time."""
    monkeypatch.setattr("graphrec.stages.time.process_time", itertools.count().__next__)
    clock = Clock()
    inner = clock(lambda: 7)
    assert clock(lambda: inner() + inner())() == 14
    assert clock.seconds == 1
    with pytest.raises(ZeroDivisionError):
        clock(lambda: 1 // 0)()
    inner()
    assert clock.seconds == 3, "what failed has ended too"


def test_budgets_are_as_small_as_the_part() -> None:
    config = Config.load(
        None, ["blocks=ease,graph,popularity", "graph.minutes=2", "blend.users=1000", "split.k_core=3"]
    )
    found = scaled(config, Shape(1_000, 10_000, 50_000), 0.1, 0.2)
    assert found.blocks == ("graph", "popularity")  # as on the whole catalogue, although the part is small enough
    assert found.graph.minutes == pytest.approx(0.04)
    assert (found.blend.users, found.blend.resampled, found.split.k_core) == (256, 800, 0), "256 are ranked at once"
    assert scaled(config, Shape(1_000, 40_000, 50_000), 0.6, 0.2).blend.users == 300, "of 500 who are asked"
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
    assert found.width > 1
    assert 0 < found.judging["weights"] < found.stages["weights"]["s"] + 0.02
    assert found.asked > found.people > 0, "all of them"


def test_what_texts_take_is_found_again(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading takes 5 seconds, a character .01, and what every fit does anew 3."""
    read, clock = [0], [100.0]

    def lacking(some: Dataset, fitting: Any) -> Unread:
        return Unread(np.zeros(0, bool), 10 * some.n_users - read[0])

    def loaded(*given: Any) -> None:
        clock[0] += 5

    def learned(some: Dataset, fitting: Any) -> None:
        clock[0] += 3 + 0.01 * (10 * some.n_users - read[0])
        read[0] = 10 * some.n_users

    monkeypatch.setattr(pilots, "_unread", lacking)
    monkeypatch.setattr(pilots, "read_few", loaded)
    monkeypatch.setattr(pilots, "learn_from", learned)
    monkeypatch.setattr(pilots, "core_seconds", lambda: clock[0])
    found = pilots.texts(data, QUICK)
    assert found.loading == pytest.approx(5)
    assert found.of_each == pytest.approx(0.01)
    assert found.characters == 10 * data.n_users


def test_texts_that_are_left_cost_a_fit_what_they_cost_the_pilots() -> None:
    foretold = {"kg": Stage(9.0, 950.0), "features": Stage(9.0, 900.0)}
    took = Texts(5.0, 0.01, 1_200)
    assert left(took, 1_200, foretold) == {}, "the pilots have read them all"
    assert left(None, 0, foretold) == {}
    rest = left(took, 3_200, foretold)["texts"]
    assert (rest.seconds, rest.mb) == (5.0 + 20.0, 950.0)


def test_what_no_cache_holds_is_what_a_fit_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPHREC_CACHE", str(tmp_path))
    monkeypatch.setattr(pilots, "EXAMPLES", 10)
    monkeypatch.setattr("graphrec.knowledge.unread.readers", lambda texts, _: [(WordExtractor(), texts)])
    town = shop()
    encoder = CachedEncoder(CountingEncoder(), ContentCache("embeddings"))
    fitting = Fitting(Config(), Runtime(), lambda: encoder, WordExtractor())
    before = unread(town, KGConfig(), encoder.id)
    assert before.events.all()
    once = [{*town.reviews["text"]}, {*item_descriptions(town)}, {"B0", "B1"}]  # names too
    assert before.characters == sum(len(text) for texts in (once[0], *once) for text in texts)
    first = np.array([int(id_[1:]) % 4 == 0 for id_ in town.items.ids])  # the word that reviews of an item hold
    learn_from(town.subset(first[town.events.item_nums]), fitting)
    after = unread(town, KGConfig(), encoder.id)
    np.testing.assert_array_equal(after.events, ~first[town.events.item_nums])
    examples = pilots._examples(town, (np.ones(town.n_users, bool), first), after, 1)
    assert len(examples.events) == 10 + int(first[town.events.item_nums].sum()), "and what is unread"
    learn_from(town, fitting)
    assert unread(town, KGConfig(), encoder.id).characters == 0


def test_a_pilot_that_is_killed_is_told() -> None:
    with pytest.raises(ProcessError, match="leave the larger blocks out"):
        planning._alone(os._exit, 3)


def test_an_index_that_the_memory_holds_not_is_told(data: Dataset) -> None:
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
