"""Blocks that learn from nothing but who took what, for tests of blocks that are compared as models of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import kg.graph
from graphrec.blocks.api import Block, FitInputs
from graphrec.data.dataset import Dataset, build
from graphrec.graph.hetero import hetero_graph
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries, query_of
from graphrec.query.ties import Ties
from graphrec.runtime import Runtime
from graphrec.types import Floats


def random_data(seed: int = 0, n_users: int = 30, n_items: int = 17) -> Dataset:
    """Random histories of 1 to 6 items; the last item is taken by one user only."""
    random = np.random.default_rng(seed)
    rows = [
        (f"u{u:02d}", f"i{i:02d}")
        for u in range(n_users)
        for i in random.permutation(n_items - 1)[: random.integers(1, 7)]
    ]
    return build("random", pd.DataFrame([*rows, ("u00", f"i{n_items - 1:02d}")], columns=["user_id", "item_id"]))


def inputs_of(data: Dataset) -> FitInputs:
    return FitInputs(Ties(data), hetero_graph(data, kg.graph.empty()), Runtime(device="cpu"))


def scores_of(block: Block[Any], data: Dataset, **chosen: Any) -> Floats:
    """Scores of everybody, float32 (U, I), of the block fitted with these hyper-parameters."""
    inputs = inputs_of(data)
    return block.fit(inputs, chosen).scores(Queries.stored(inputs.ties))


def at_unit_deviation(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    deviation = scores.std(axis=1, keepdims=True)
    return np.asarray(scores / np.where(deviation > 1e-9, deviation, 1.0))


def check_accounts(block: FittedBlock, data: Dataset, whole: bool = True) -> None:
    """Shares and the rest sum to the score, with no rest where it is ``whole`` a sum over the history; and one's own
    history, asked for, has the stored scores."""
    ties = Ties(data)
    for user in (0, 7, 30):
        query = Queries.of(ties, [query_of(ties, user)])
        stored = block.scores(Queries.stored(ties, np.array([user])))
        np.testing.assert_allclose(block.scores(query), stored, atol=1e-4)
        for item in (1, 12):
            found = block.effects(query, item)
            assert found is not None
            total = float(block.score(query, item)[0])
            assert abs(float(found.shares.sum()) + found.rest - total) < 1e-6
            assert set(found.items.tolist()) == set(ties.history(user).tolist())
            if whole:
                assert abs(found.rest) < 1e-5


def check_round_trip(block: FittedBlock, data: Dataset) -> None:
    """Written and read back, it gives the same scores."""
    queries = Queries.stored(Ties(data))
    arrays, settings = block.arrays()
    found = type(block).from_arrays(arrays, settings)
    np.testing.assert_array_equal(found.scores(queries), block.scores(queries))
