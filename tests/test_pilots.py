"""Pilots are parts of the data with budgets as small, and what they measure is theirs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec import pilots
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError, DataError
from graphrec.features.cache import ContentCache
from graphrec.features.encoder import CachedEncoder
from graphrec.features.text import item_descriptions
from graphrec.fit import Fitting, learn_from
from graphrec.knowledge.unread import Unread, unread
from graphrec.pilots import Shape, part, piloted, scaled
from graphrec.runtime import Runtime
from graphrec.samples.many import generated
from graphrec.settings import KGConfig
from graphrec.stages import Clock, Stages
from tests.cli.support import SPECTRAL
from tests.features.test_encoder import CountingEncoder
from tests.model.shop import WordExtractor, shop

QUICK = Config.load(None, ["blocks=popularity,spectral", "features.enabled=false", *SPECTRAL[1::2]])


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
