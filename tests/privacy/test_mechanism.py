"""Noise on sums: as much as is said, and somebody who is planted cannot be told by more than is claimed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from scipy.stats import beta, norm

from graphrec.linalg.sums import HALF, ItemSums
from graphrec.privacy import mechanism
from graphrec.privacy.accountant import epsilon_of, mu_of
from graphrec.privacy.mechanism import POWER, SPENT, Gaussian, bounded, denoised, released_sums, released_worth

ITEMS = tuple(f"i{n}" for n in range(8))
EVENTS, DELTA = 4, 1e-6
CANARY = np.array([1, 0, 1, 0, 1, 0, 1, 0], np.float64)  # takes as much as anybody may
TRIALS = 300


def seeded(seed: int = 0) -> Gaussian:
    return Gaussian(np.random.default_rng(seed))


def people(n: int = 120) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(1)
    return np.array([random.permutation(CANARY) for _ in range(n)])


def test_noise_on_a_matrix_is_of_its_whole_length() -> None:
    """Symmetric; its squares sum to σ² for each of its I (I + 1) / 2 free entries."""
    found = seeded().added_to_gram(np.zeros((300, 300)), 2.0, 0.5)
    np.testing.assert_array_equal(found, found.T)
    assert np.diag(found).std() == pytest.approx(4.0, rel=0.15)
    assert found[np.triu_indices(300, 1)].std() == pytest.approx(4.0 / 2**0.5, rel=0.02)
    assert (found**2).sum() == pytest.approx(16.0 * 300 * 301 / 2, rel=0.02)


def test_only_the_last_of_what_somebody_took_counts() -> None:
    rows = sp.csr_matrix(np.array([[1, 1, 1, 0], [0, 0, 1, 1]], np.float32))
    found = bounded(rows, np.array([2, 0, 1, 1, 0]), 2)
    np.testing.assert_array_equal(found.toarray(), [[0, 1, 1, 0], [0, 0, 1, 1]])
    assert rows.nnz == 5  # the rows that answers are made of stay whole


def test_what_is_above_the_noise_is_kept() -> None:
    """A planted matrix of rank 3: nearer to it than as it came, and nothing is made of noise alone."""
    random = np.random.default_rng(0)
    sides = np.linalg.qr(random.normal(size=(200, 3)))[0]
    planted = (sides * [400.0, 200.0, 100.0]) @ sides.T
    came = seeded().added_to_gram(planted, 1.0, 0.5)
    found = denoised(came, 2.0)
    assert np.linalg.norm(found - planted) < 0.35 * np.linalg.norm(came - planted)
    assert np.linalg.matrix_rank(found, tol=1e-6) == 3
    alone = denoised(seeded(2).added_to_gram(np.zeros((400, 400)), 1.0, 0.5), 2.0)
    assert not alone.any()


def test_the_highest_of_noise_alone_is_no_finding() -> None:
    """It lies above the edge of the others in one draw of six, and would be all that a block is made of."""
    found = [denoised(seeded(n).added_to_gram(np.zeros((60, 60)), 1.0, 0.5), 2.0).any() for n in range(40)]
    assert not any(found)


def test_without_noise_worth_speaking_of_they_are_the_sums() -> None:
    """Of people who took as much each: then rows of length 1 with weights are those without, but for a factor."""
    rows = np.eye(8)[np.repeat(np.arange(8), [40, 20, 20, 10, 10, 5, 5, 5])]
    rows[:, 0] = 1
    matrix = sp.csr_matrix(rows.astype(np.float32))
    found = released_sums(matrix, ITEMS, 115.0, 2, 1e6, seeded())
    expected = ItemSums.of(matrix, ITEMS, exponents=(HALF,))
    np.testing.assert_allclose(found.counts, expected.counts, atol=1e-3)
    both = [gram / gram[0, 0] for gram in (found.gram(HALF), expected.gram(HALF))]
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.97


@dataclass
class Audit:
    """How well somebody who took part is told from the released sums, by whoever knows all others (the best there is:
    the likelihood ratio of both sums)."""

    mu: float
    rows: npt.NDArray[np.float64]

    def score(self, noise: Gaussian, there: bool) -> float:
        everybody = sp.csr_matrix((np.vstack([self.rows, CANARY]) if there else self.rows).astype(np.float32))
        sums = released_sums(everybody, ITEMS, float(len(self.rows)), EVENTS, self.mu, noise)
        whole = SPENT["counts"] + SPENT["gram"]
        counts, gram = (self.mu * (SPENT[name] / whole) ** 0.5 for name in ("counts", "gram"))
        told = float((sums.counts - self.rows.sum(axis=0)) @ CANARY) * counts**2 / EVENTS
        scale = sums.counts**-POWER
        size = (scale**2 * sums.counts).sum() / sums.counts.sum()
        side = self.rows * scale
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        own = CANARY * scale / np.linalg.norm(CANARY * scale)
        moved = sums.gram(HALF) * np.outer(scale, scale) / size - side.T @ side
        return float(told + own @ moved @ own * gram**2)

    def least(self, noise: Gaussian) -> float:
        """The μ that is surely there, at 95 % (Nasr et al., Tight Auditing, USENIX Security 2023)."""
        with_, without = (np.array([self.score(noise, there) for _ in range(TRIALS)]) for there in (True, False))
        cut = (np.median(with_) + np.median(without)) / 2
        found, false = int((with_ > cut).sum()), int((without > cut).sum())
        return float(
            norm.ppf(beta.ppf(0.025, found, TRIALS - found + 1)) - norm.ppf(beta.ppf(0.975, false + 1, TRIALS - false))
        )


def test_a_planted_person_is_not_told_by_more_than_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The empirical ε stays below the claimed one, and is not far below it: the test could tell."""
    monkeypatch.setattr(mechanism, "denoised", lambda gram, sigma: gram)  # which could only hide something
    least = Audit(mu_of(4.0, DELTA), people()).least(seeded(3))
    assert 0.4 * 4.0 < epsilon_of(least, DELTA) < 4.0


def test_with_too_little_noise_they_are_told_by_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be with a sensitivity of half of what it is."""
    monkeypatch.setattr(mechanism, "denoised", lambda gram, sigma: gram)

    class Half(Gaussian):
        def added_to_gram(self, gram: mechanism.Doubles, sensitivity: float, mu: float) -> mechanism.Doubles:
            return super().added_to_gram(gram, sensitivity / 2, mu)

    least = Audit(mu_of(4.0, DELTA), people()).least(Half(np.random.default_rng(3)))
    assert epsilon_of(least, DELTA) > 4.0


def test_a_figure_is_off_by_what_is_said() -> None:
    each, noise = np.full(400, 0.3, np.float32), seeded()
    found = [released_worth(each, 400.0, 0.1, noise) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.3, abs=0.005)
    assert np.std(found) == pytest.approx(10 / 400, rel=0.15)
