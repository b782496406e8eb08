"""Choices are judged on folds and on several ways of carving, and by how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.blocks.api import Fold, Folds
from graphrec.blocks.blend import blend
from graphrec.blocks.folds import FEW, members, worth
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.data.split import split
from graphrec.evaluate.ranking import Task
from graphrec.evaluate.validation import Validation
from graphrec.features.encoder import load_encoder
from graphrec.fit import Fitting, as_read, folds_of, learn_from, people_of
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.runtime import Runtime
from graphrec.samples import generate
from graphrec.settings import SplitConfig
from graphrec.types import Floats
from tests import worlds
from tests.conftest import examples


def folds_with(*ways: int) -> Folds:
    """One fold of as many users as ways are given."""
    data = worlds.two_tastes(len(ways), 4, 2)
    validation = Validation(data, data, users=len(ways), task=Task(seen="allow"))
    validation.ways = np.array(ways, np.int64)
    return Folds([Fold(worlds.inputs(data), validation)])


def test_a_gain_counts_the_same_on_easy_and_on_hard_ways() -> None:
    """The geometric mean, weighted by users; one way is judged by its mean."""
    ndcg = np.repeat([0.4, 0.1], FEW).astype(np.float32)
    of = members(np.repeat([1, 2], FEW))
    assert worth(ndcg, of) == pytest.approx(0.2)
    assert worth(ndcg * np.repeat([1.1, 1], FEW), of) == pytest.approx(worth(ndcg * np.repeat([1, 1.1], FEW), of))
    assert worth(ndcg, members(np.zeros(2 * FEW, np.int64))) == pytest.approx(0.25)
    assert worth(np.zeros(0, np.float32), members(np.zeros(0, np.int64))) == 0.0


@given(st.lists(st.integers(0, 3), max_size=200))
@examples(100)
def test_every_user_is_judged_in_one_way(ways: list[int]) -> None:
    found = members(np.array(ways, np.int64))
    assert sorted(np.concatenate([np.zeros(0, np.int64), *found]).tolist()) == list(range(len(ways)))
    small = [way for way in found if len(way) < FEW]
    assert len(small) <= 1, "ways of few users are one"


def test_ways_that_disagree_are_doubt() -> None:
    """What is better by a tenth in one way and worse in another is not sure, however many users there are."""
    folds = folds_with(*[1] * 400, *[2] * 400)
    first = np.full(800, 0.2, np.float32)
    agreed, torn = first * 0.9, first * np.repeat([0.9, 1.1], 400).astype(np.float32)
    assert folds.doubt(first, agreed) < 0.001
    assert folds.doubt(first, torn) == pytest.approx(0.1, rel=0.05)
    noisy = first + 0.1 * (-1.0) ** np.arange(800)
    assert folds.doubt(first, noisy.astype(np.float32)) == pytest.approx(0.1 / 0.2 / 800**0.5, rel=0.05)


@dataclass(frozen=True)
class Weighted:
    """Several blocks under their weights."""

    profiles: Profiles

    def scores(self, queries: Queries) -> Floats:
        return sum((np.float32(b.weight) * b.scores(queries) for b in self.profiles.heard), np.zeros((), np.float32))


def chosen_and_tested(data: Dataset) -> tuple[float, float]:
    """NDCG@20 on the test users of what one fold chooses, and of what all folds choose."""
    config = Config.load(None, ["blocks=popularity,spectral,ials", "features.enabled=false", "kg.enabled=false"])
    data = as_read(replace(data, parts=None), config)
    parts = split(data, SplitConfig(kind="temporal"))
    fitting = Fitting(config, Runtime(progress=False, device="cpu"), lambda: load_encoder(config.features))
    whole = learn_from(parts.fit_data, fitting)[0]
    test = Validation(whole.ties, parts.test, task=Task())
    folds = folds_of(parts.folds, fitting)
    assert len(folds) > 1
    out = []
    for on in (Folds(folds[:1]), folds):
        tuned = {name: block.tune(on) for name, block in fitting.blocks().items()}
        weights, _ = blend([fitted for fitted, _ in tuned.values()], on)
        learned = [
            block.fit(whole, tuned[name][1]).reweighted(weights[name]) for name, block in fitting.blocks().items()
        ]
        out.append(test.ndcg_of(Weighted(Profiles(tuple(learned))).scores))
    return out[0], out[1]


def test_regret_on_generated_shops_falls_with_more_folds() -> None:
    """Where validation users are few, one fold chooses by chance: all five choose better on the mean of some shops."""
    found = np.array([chosen_and_tested(generate(60, 50, 500, seed=100 + n)) for n in range(3)])
    one, several = found.mean(axis=0)
    assert several > 1.03 * one, found


def test_people_of_several_folds_are_counted_once() -> None:
    """One person in five folds is asked about five times and is still one person."""
    data = generate(12, 24, 48, seed=1)
    config = Config.load(None, ["blocks=popularity", "features.enabled=false", "kg.enabled=false", "split.kind=random"])
    data = as_read(replace(data, parts=None), config)
    parts = split(data, config.split)
    fitting = Fitting(config, Runtime(progress=False, device="cpu"), lambda: load_encoder(config.features))
    folds = folds_of(parts.folds, fitting)
    asked = [set(fold.validation.queries.user_nums.tolist()) for fold in folds]
    assert people_of(folds) == len(set().union(*asked)) <= data.n_users < folds.users
    said = folds.inputs.train.report.all_warnings()
    assert any(line.startswith(f"only {people_of(folds)} validation users: ") for line in said)
