"""Sums over people: parties add up, one person is one subtraction, and nobody moves them by more than is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from graphrec.errors import ConfigError, DataError
from graphrec.linalg.sums import ItemSums

ITEMS = [f"i{n:02d}" for n in range(30)]


def rows(n: int = 400, seed: int = 0) -> sp.csr_matrix:
    """Who took what, CSR (n, 30), of zeros and ones; some took nothing."""
    random = np.random.default_rng(seed)
    return sp.csr_matrix((random.random((n, len(ITEMS))) < random.random((n, 1)) * 0.3).astype(np.float32))


def apart(first: ItemSums, second: ItemSums) -> float:
    """The largest difference of any entry."""
    grams = [float(np.abs(gram - second.grams[alpha]).max()) for alpha, gram in first.grams.items()]
    return max(abs(first.users - second.users), float(np.abs(first.counts - second.counts).max()), *grams)


def test_they_are_what_a_loop_over_people_adds_up() -> None:
    taken = rows(50)
    found = ItemSums.of(taken, ITEMS)
    for alpha, gram in found.grams.items():
        expected = np.zeros((30, 30))
        for x in taken.toarray().astype(np.float64):
            side = x / max(x.sum(), 1) ** alpha
            expected += np.outer(side, side)
        np.testing.assert_allclose(gram, expected, atol=1e-12)
    assert found.users == (taken.sum(axis=1) > 0).sum()
    np.testing.assert_array_equal(found.counts, taken.toarray().sum(axis=0))


@pytest.mark.parametrize("parties", [2, 5, 20])
def test_uneven_parties_add_up_to_everybody(parties: int) -> None:
    """Each party knows the items that its people took, and no others; one item of each is another's."""
    taken, random = rows(), np.random.default_rng(parties)
    of = np.minimum(random.geometric(2 / (parties + 1), taken.shape[0]) - 1, parties - 1)
    taken = sp.csr_matrix(taken.toarray() * (np.arange(len(ITEMS)) != of[:, None]))
    sums = []
    for party in range(parties):
        own = taken[of == party]
        there = np.flatnonzero(np.asarray(own.sum(axis=0)).ravel())[:: -1 if party % 2 else 1]
        sums.append(ItemSums.of(own[:, there], [ITEMS[n] for n in there]))
    assert len({s.items for s in sums}) == parties
    assert max(s.users for s in sums) > 1.5 * min(s.users for s in sums)
    pooled = ItemSums.of(taken, ITEMS)
    assert apart(ItemSums.added(sums), pooled) < 1e-9
    assert apart(ItemSums.added(sums[1:]).over(ITEMS), pooled) > 0.1


def test_somebody_is_taken_out_by_subtraction() -> None:
    taken = rows(60)
    gone = ItemSums.of(taken, ITEMS) - ItemSums.of(taken[7:9], ITEMS)
    assert apart(gone, ItemSums.of(sp.csr_matrix(sp.vstack([taken[:7], taken[9:]])), ITEMS)) < 1e-12


def test_nobody_moves_them_by_more_than_their_sensitivity_and_somebody_by_as_much() -> None:
    events = 6
    most: dict[str | float, float] = dict.fromkeys(["users", "counts", 0.0, 0.25, 0.5], 0.0)
    everybody = sp.csr_matrix(np.tril(np.ones((events, 30)))).astype(np.float32)  # 1 to 6 items
    for n in range(events):
        one = ItemSums.of(everybody[n], ITEMS, exponents=(0.0, 0.25, 0.5))
        moved: dict[str | float, float] = {alpha: float(np.linalg.norm(gram)) for alpha, gram in one.grams.items()}
        moved |= {"users": one.users, "counts": float(np.linalg.norm(one.counts))}
        most = {key: max(value, moved[key]) for key, value in most.items()}
    told = one.sensitivity(events)
    assert most == pytest.approx({"users": told.users, "counts": told.counts, **told.grams})
    assert told.grams[0.5] == 1.0


def test_they_are_read_back_to_the_last_bit_from_a_file_without_pickle(tmp_path: Path) -> None:
    sums = ItemSums.of(rows(), ITEMS, reading="liked")
    sums.save(tmp_path / "party.npz")
    back = ItemSums.load(tmp_path / "party.npz")
    assert apart(sums, back) == 0
    assert (back.items, back.reading) == (sums.items, "liked")
    (tmp_path / "other.npz").write_bytes(b"no sums")
    with pytest.raises(DataError, match="no file of sums"):
        ItemSums.load(tmp_path / "other.npz")


def test_what_cannot_be_summed_is_refused() -> None:
    taken = rows(5)
    with pytest.raises(ConfigError, match="30 items, and sums are dense up to 29"):
        ItemSums.of(taken, ITEMS, max_items=29)
    with pytest.raises(ConfigError, match="reading 'graded' weighs"):
        ItemSums.of(taken, ITEMS, reading="graded")
    with pytest.raises(DataError, match="zeros and ones; found 2"):
        ItemSums.of(2 * taken, ITEMS)
    with pytest.raises(DataError, match="made differently"):
        ItemSums.of(taken, ITEMS) + ItemSums.of(taken, ITEMS, exponents=(0.5,))
    with pytest.raises(DataError, match="different items"):
        ItemSums.of(taken, ITEMS) + ItemSums.of(taken[:, 1:], ITEMS[1:])
    with pytest.raises(ConfigError, match=r"divided by d\^0.25; there are 0, 0.5"):
        ItemSums.of(taken, ITEMS).gram(0.25)
