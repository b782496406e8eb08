"""Items with the same entities: a naive twin, a planted signal of what few took, and silence where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.blocks import kin
from graphrec.blocks.folds import Folds
from graphrec.blocks.kin import Kin
from graphrec.blocks.neighbours import Neighbours
from graphrec.evaluate.validation import Validation
from graphrec.linalg.adjacency import entity_rows
from graphrec.profile.api import FittedBlock
from graphrec.profile.sparse import NeighbourBlock
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.testing import BlockContract
from graphrec.types import Floats
from tests import worlds

CHOSEN = {"n": 500, "alpha": 0.5, "gamma": 1.0, "takers": 10.0}
HEAD = 40  # items that many took, in ``worlds.known_by_some``


class TestKin(BlockContract):
    block = Kin
    telling = {"n": [1, 200]}  # noqa: RUF012 (read only)
    further = {"bands": [[1.0, 0.3, 0.0, 1.0, 0.1, 0.0]]}  # noqa: RUF012 (read only)


def _folds(shuffled: bool, seed: int = 0) -> Folds:
    data, brands = worlds.known_by_some(shuffled, seed=seed)
    parts = worlds.given(data)
    inputs = worlds.inputs(parts.train, graph=worlds.shared_brands(parts.train, brands))
    return Folds.of(inputs, Validation(inputs.ties, parts.valid))


def test_it_counts_shared_entities() -> None:
    train = worlds.given(worlds.two_tastes()).train
    graph = worlds.shared_brands(train, [[0, 1, 2], [0, 1], [3], [5, 6, 1]])
    found = worlds.scores(Kin().fit(worlds.inputs(train, graph=graph), CHOSEN), train)
    stands = entity_rows(graph).toarray()  # (N, I)
    taste = train.matrix().toarray()
    taken = taste.sum(axis=0)
    for user in (0, 1, 7):
        expected = np.zeros(train.n_items)
        for i in range(train.n_items):
            for j in np.flatnonzero(taste[user]):
                shared = (stands[:, i] * stands[:, j] / stands.sum(axis=1))[stands.sum(axis=1) > 1].sum()
                expected[i] += (i != j) * shared / max(stands[:, i].sum(), 1) ** 0.5 * 10 / (10 + taken[i])
        np.testing.assert_allclose(found[user], expected / (expected.std() or 1.0), atol=1e-4)


@pytest.mark.parametrize(("seed", "gate"), [(0, False), (1, False), (2, True)])
def test_a_signal_of_what_few_took_is_used_for_that_alone(seed: int, gate: bool) -> None:
    """What many took is ranked as without entities, with the gate of takers where validation has it so."""
    folds = _folds(shuffled=False, seed=seed)
    (block,), chosen = Kin().tune(folds)
    assert bool(chosen["takers"]) is gate
    told = np.abs(block.scores(Queries.stored(folds.inputs.ties))).mean(axis=0)
    assert told[:HEAD].mean() < (0.25 if gate else 1) * told[HEAD:].mean()
    (neighbours,), _ = Neighbours(Neighbours.Settings(knowledge=[0.0])).tune(folds)
    without, both = (_found(folds, [neighbours, *more]) for more in ([], [block]))
    assert both[1] > 2 * without[1]  # of what few took
    assert both[0] > 0.98 * without[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_entities_that_say_nothing_leave_it_out(seed: int) -> None:
    folds = _folds(shuffled=True, seed=seed)
    (block,), chosen = Kin().tune(folds)
    assert "nothing" in chosen["left_out"]
    assert block.empty
    assert Kin().fit(folds.inputs, chosen).empty


def test_without_entities_or_anybody_to_ask_it_sits_out() -> None:
    parts = worlds.given(worlds.two_tastes())
    inputs = worlds.inputs(parts.train)
    nobody = parts.valid.subset(np.zeros(len(parts.valid.events), bool))
    brands = worlds.inputs(parts.train, graph=worlds.shared_brands(parts.train, [[0, 1]]))
    for given, valid in ((inputs, parts.valid), (brands, nobody)):
        _, chosen = Kin().tune(Folds.of(given, Validation(given.ties, valid)))
        assert "left_out" in chosen


def test_common_entities_are_not_counted_where_they_cost_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    train = worlds.given(worlds.two_tastes()).train
    rows = entity_rows(worlds.shared_brands(train, [[0, 1], list(range(20))]))
    monkeypatch.setattr(kin, "PAIRS", 100)
    found = kin.alike(rows, Ties(train), CHOSEN)
    assert sorted(zip(*(n.tolist() for n in found.nonzero()), strict=True)) == [(0, 1), (1, 0)]


def test_bands_are_what_a_block_counts_for() -> None:
    parts = worlds.given(worlds.heard_by_some())
    ties, links = Ties(parts.train), np.eye(parts.train.n_items, k=1, dtype=np.float32)
    made: Any = NeighbourBlock("some", ties.matrix[:0], sp.csr_matrix(links), bands=(0.0, 0.5, 0.0, 1.0, 1.0, 0.25))
    found = made.fitted(ties).scores(Queries.stored(ties)).std(axis=1)
    for activity, unit in ((1, 0.5), (2, 0.0), (4, 1.0), (30, 0.25)):
        np.testing.assert_allclose(found[ties.activity == activity], unit, atol=1e-4)


def _found(folds: Folds, blocks: list[FittedBlock]) -> tuple[float, float]:
    """NDCG of held-out items that many took, ranked among these, and the same of the rest."""
    validation = folds[0].validation
    scores = sum((b.scores(validation.queries) for b in blocks), np.zeros((), np.float32))
    out = []
    for part in (slice(0, HEAD), slice(HEAD, None)):

        def of(queries: Queries, part: slice = part) -> Floats:
            ranked = np.full_like(scores, -1e9)
            ranked[:, part] = scores[:, part]
            return ranked[np.searchsorted(validation.queries.user_nums, queries.user_nums)]

        out.append(float(validation.per_user_ndcg_of(of).mean()))
    return out[0], out[1]
