"""Popularity: counts, decay, and the half-life that validation picks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from graphrec.blocks.popularity import Popularity
from graphrec.data.dataset import build
from graphrec.data.popularity import DAY, decayed_counts
from graphrec.testing import BlockContract
from tests import worlds


class TestPopularity(BlockContract):
    block = Popularity
    settings = {"half_life": [0.0, 30.0]}  # noqa: RUF012 (read only)


def _timed() -> pd.DataFrame:
    rows = [("a", "old", 0), ("b", "old", 0), ("c", "old", 0), ("a", "new", 100), ("b", "new", 100)]
    return pd.DataFrame([(u, i, int(day * DAY)) for u, i, day in rows], columns=["user_id", "item_id", "timestamp"])


def test_decay_halves_per_half_life() -> None:
    data = build("timed", _timed())
    counts = dict(zip(data.items.ids, decayed_counts(data, 100.0), strict=True))
    assert counts == {"new": 2.0, "old": 1.5}
    assert dict(zip(data.items.ids, decayed_counts(data, 0.0), strict=True)) == {"new": 2.0, "old": 3.0}


def test_the_block_is_standardised_and_ranks_by_count() -> None:
    data = build("timed", _timed())
    scores = worlds.scores(Popularity().fit(worlds.inputs(data), {"half_life": 0.0}), data)[0]
    assert scores[data.items.number("old")] > scores[data.items.number("new")]
    np.testing.assert_allclose([scores.mean(), scores.std()], [0.0, 1.0], atol=1e-6)
