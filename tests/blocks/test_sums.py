"""Blocks from sums over people: what they are from the people's rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec.blocks.api import Block, FitInputs
from graphrec.blocks.registry import registered
from graphrec.data.dataset import Dataset, build
from graphrec.errors import ConfigError
from graphrec.linalg.sums import ItemSums
from graphrec.profile.api import FittedBlock
from graphrec.query.query import Queries
from tests.blocks.alone import inputs_of

SUMMED = {name: block for name, block in registered().items() if block.summed}
LINKS = {"friends": 0.0, "smoothing": 0.0, "knowledge": 0.0, "fading": 0.3}
CHOSEN: dict[str, dict[str, Any]] = {
    "popularity": {"half_life": 0.0},
    "ease": {"regularisation": 20.0, "n": 40, **LINKS},
    "neighbours": {"n": 40, "alpha": 0.5, "beta": 0.4, **LINKS},
    "itemknn": {"n": 40, "shrink": 5.0, **LINKS},
    "spectral": {"rank": 12, "alpha": 0.5, "beta": 0.4, "power": 0.8, "friends": 0.0, "fading": 0.3},
}


def world(n_users: int = 150, n_items: int = 40, seed: int = 1) -> Dataset:
    """Histories of 2 to 15 items of one of three tastes, with times."""
    random, out = np.random.default_rng(seed), []
    for user in range(n_users):
        odds = np.where(np.arange(n_items) % 3 == user % 3, 5.0, 1.0) / np.arange(1, n_items + 1) ** 0.5
        items = random.choice(n_items, random.integers(2, 16), replace=False, p=odds / odds.sum())
        out += [(f"u{user:03d}", f"i{item:03d}", time) for time, item in enumerate(items)]
    return build("tastes", pd.DataFrame(out, columns=["user_id", "item_id", "timestamp"]))


@pytest.fixture(scope="module")
def inputs() -> FitInputs:
    return inputs_of(world())


@pytest.fixture(scope="module")
def sums(inputs: FitInputs) -> ItemSums:
    return ItemSums.of(inputs.train.learning("alike"), inputs.train.items.ids)


def both_scores(block: FittedBlock, inputs: FitInputs) -> Any:
    """Of stored people, and of a basket that is encoded anew."""
    return block.scores(Queries.stored(inputs.ties))


@pytest.mark.parametrize("name", CHOSEN)
def test_from_sums_as_from_rows(name: str, inputs: FitInputs, sums: ItemSums) -> None:
    block, chosen = registered()[name](), {**CHOSEN[name], "reading": "alike"}
    rows, found = block.learn(inputs, chosen), block.from_sums(sums, inputs, chosen)
    sides = (np.asarray(s.toarray() if hasattr(s, "toarray") else s) for s in (rows.items, found.items))
    first, second = sides
    if name == "spectral":  # vectors of equal values may be turned
        first, second = first @ first.T, second @ second.T
    np.testing.assert_allclose(second, first, atol=2e-6 * max(1.0, float(np.abs(first).max())))
    expected = both_scores(rows, inputs)
    assert expected.std() > 0.1
    np.testing.assert_allclose(both_scores(found, inputs), expected, atol=1e-5)


def test_all_that_say_so_are_tried() -> None:
    assert set(SUMMED) == set(CHOSEN)


def test_ease_of_normalised_rows_against_a_dense_twin(inputs: FitInputs) -> None:
    """Rows divided by √d, and λ by as much as their squares are shorter in all."""
    taken = inputs.train.learning("alike").toarray().astype(np.float64)
    x = taken / np.sqrt(taken.sum(axis=1, keepdims=True))
    inverse = np.linalg.inv(x.T @ x + 20.0 * (x**2).sum() / taken.sum() * np.eye(x.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    sums = ItemSums.of(inputs.train.learning("alike"), inputs.train.items.ids, exponents=(0.5,))
    found = SUMMED["ease"]().from_sums(sums, inputs, CHOSEN["ease"])
    np.testing.assert_allclose(found.items.toarray(), weights.T, atol=1e-6)


def test_nothing_follows_from_sums_that_noise_has_left_nothing_of(inputs: FitInputs, sums: ItemSums) -> None:
    nothing = replace(sums, grams={0.5: np.zeros_like(sums.gram(0.5))})
    assert SUMMED["ease"]().from_sums(nothing, inputs, CHOSEN["ease"]).items.nnz == 0


@pytest.mark.parametrize("name", CHOSEN)
def test_its_space_holds_what_it_can_learn_with(name: str, inputs: FitInputs, sums: ItemSums) -> None:
    block = registered()[name]()
    space = block.space_of_sums(sums)
    for at in (0, -1):
        made = block.from_sums(sums, inputs, {key: values[at] for key, values in space.items()})
        assert np.isfinite(both_scores(made, inputs)).all()


def test_who_reads_rows_is_refused_by_name(inputs: FitInputs, sums: ItemSums) -> None:
    others: list[Block[Any]] = [registered()[name]() for name in ("ials", "slim", "transitions")]
    for block in others:
        with pytest.raises(ConfigError, match=f"{block.name} reads the rows of people"):
            block.from_sums(sums, inputs, {})
