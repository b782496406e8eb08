"""Items whose takers have little else in common: a naive twin, planted profiles, and what is left alone."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.linalg import unlike as module
from graphrec.linalg.suspects import suspects
from graphrec.linalg.unlike import Unlike, likeness

USERS, ITEMS, TASTES, MADE_UP = 400, 480, 8, 10


@pytest.fixture(scope="module")
def sparse() -> sp.csr_matrix:
    """People of eight tastes who take ten things each, nearly all of their own, of which most are taken by few; the
    last item is taken by one."""
    random = np.random.default_rng(0)
    rows = np.zeros((USERS, ITEMS), np.float32)
    for user in range(USERS):
        mine = np.where(np.arange(ITEMS) % TASTES == user % TASTES, 1.0, 0.01) * (np.arange(ITEMS) < ITEMS - 1)
        rows[user, random.choice(ITEMS, 10, replace=False, p=mine / mine.sum())] = 1
    rows[0, ITEMS - 1] = 1
    return sp.csr_matrix(rows)


def unlike(taken: sp.csr_matrix) -> Unlike:
    return module.unlike(taken, suspects(taken).share)


def attacked(taken: sp.csr_matrix, by: np.ndarray, seed: int = 1) -> sp.csr_matrix:
    """With people more who each take nine things, as likely as ``by``, and the last item."""
    random = np.random.default_rng(seed)
    rows = np.zeros((MADE_UP, ITEMS), np.float32)
    for row in rows:
        row[random.choice(ITEMS, 9, replace=False, p=by / by.sum())] = 1
    rows[:, ITEMS - 1] = 1
    return sp.csr_matrix(sp.vstack([taken, sp.csr_matrix(rows)]))


def test_likeness_is_that_of_a_naive_twin() -> None:
    taken = sp.csr_matrix((np.random.default_rng(1).random((40, 25)) < 0.25).astype(np.float32))
    found = likeness(taken, np.arange(25))
    dense = taken.toarray()
    side = dense / np.sqrt(np.maximum(dense.sum(axis=0) - 1, 1))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    for item in range(25):
        others = np.arange(25) != item
        pairs = permutations(np.flatnonzero(dense[:, item]).tolist(), 2)
        assert found[item] == pytest.approx(np.mean([side[u, others] @ side[v, others] for u, v in pairs]))


def test_what_is_filled_by_chance_does_not_count(sparse: sp.csr_matrix) -> None:
    for by in (np.ones(ITEMS), np.asarray(sparse.sum(axis=0), np.float64).ravel()):
        found = unlike(attacked(sparse, by))
        mine = found.users[found.items == ITEMS - 1]
        assert ITEMS - 1 in found.pushed
        assert (mine >= USERS).sum() >= MADE_UP - 1
        assert len(mine) == MADE_UP  # of eleven who took it one counts, as before
        assert len(found.items) - len(mine) < 0.005 * sparse.nnz  # real ones that are taken for them
    assert len(unlike(sparse).items) < 0.005 * sparse.nnz


def test_a_group_of_one_taste_counts(sparse: sp.csr_matrix) -> None:
    """Who are real, or who are made up like a group: they cannot be told apart, as ``docs/robustness.md`` says."""
    group = np.asarray(sparse[np.arange(USERS) % TASTES == 3].sum(axis=0), np.float64).ravel()
    assert ITEMS - 1 not in unlike(attacked(sparse, group)).pushed


def test_nothing_is_told_where_nothing_can_be(sparse: sp.csr_matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not len(unlike(sparse[:, :0]).items)
    assert not len(unlike(sp.csr_matrix((5, 4))).items)
    pushed = attacked(sparse, np.ones(ITEMS))
    assert len(unlike(pushed).items)
    monkeypatch.setattr(module, "ENOUGH", ITEMS)  # too few items to know what is usual
    assert not len(unlike(pushed).items)
    monkeypatch.undo()
    monkeypatch.setattr(module, "MAX_ITEMS", ITEMS - 1)
    assert not len(unlike(pushed).items)
