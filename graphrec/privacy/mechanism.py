"""Gaussian noise on sums over people, and what makes them usable again: both are all that is released of them.

What is made of released sums, and whatever is chosen in their light, costs nothing more (post-processing). The noise is
of the operating system's entropy: with a seed that somebody knows it would be none. Draws are in floating point, which
in theory tells a little of what they are added to (Mironov, CCS 2012); nothing here is done against that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import eigh

from graphrec.linalg.sums import HALF, ItemSums, gram_of
from graphrec.types import Floats, Ints

Doubles = npt.NDArray[np.float64]
SPENT = {"users": 0.02, "counts": 0.18, "gram": 0.8}  # of μ², on each sum
POWER = 0.25  # exponent of the counts that items are divided by in a Gram matrix
HIGHEST = 3.2724  # below which the Tracy–Widom variable of symmetric matrices (β = 1) is in 999 of 1,000 draws


@dataclass(frozen=True)
class Gaussian:
    """A source of noise. ``draw``: of the operating system's entropy, or of a seed where it protects nobody."""

    draw: np.random.Generator

    @classmethod
    def secret(cls) -> Gaussian:
        """Noise that nobody can draw again."""
        return cls(np.random.default_rng())

    def torch(self) -> Any:
        """A generator of torch, seeded by a draw."""
        import torch

        return torch.Generator().manual_seed(int(self.draw.integers(2**62)))

    def added(self, values: Doubles, sensitivity: float, mu: float) -> Doubles:
        """Values (n,) that one person moves by ``sensitivity`` at most, with noise that makes them μ-GDP."""
        out: Doubles = values + self.draw.normal(0.0, sensitivity / mu, np.shape(values))
        return out

    def added_to_gram(self, gram: Doubles, sensitivity: float, mu: float) -> Doubles:
        """The same of a symmetric matrix (I, I), whose length is that of all its entries.

        Laid out as its diagonal and √2 times what is above it, a symmetric matrix has that length as a vector. Noise
        of deviation σ on each of these is σ on the diagonal and σ/√2 above it.
        """
        noise = self.draw.normal(0.0, sensitivity / mu / 2, gram.shape)
        out: Doubles = gram + noise + noise.T  # above the diagonal of variance σ²/2, on it of σ²
        return out


def bounded(rows: sp.csr_matrix, place: Ints, events: int) -> sp.csr_matrix:
    """Rows CSR (U, I) with the last ``events`` entries of each person; ``place`` int64 (nnz,): of each entry, from the
    person's last one backwards."""
    kept = rows.copy()
    kept.data = np.where(place < events, kept.data, 0).astype(np.float32)
    kept.eliminate_zeros()
    return kept


def released_users(n: int, mu: float, noise: Gaussian) -> float:
    """How many people there are, which each moves by 1."""
    return float(max(noise.added(np.array([float(n)]), 1.0, mu)[0], 1.0))


def released_sums(
    rows: sp.csr_matrix, items: tuple[str, ...], users: float, events: int, mu: float, noise: Gaussian
) -> ItemSums:
    """Sums over people with noise, together μ-GDP for each of them.

    Counts come first: c + N(0, events/μ_c²), at least their deviation. The Gram matrix is of rows

        x_u = W r_u / ‖W r_u‖,   W = diag(ĉ)^-POWER

    of length 1 whatever they hold, so that one person moves it by ‖x_u x_uᵀ‖ = 1: what few people took weighs more, as
    it does in all that is read off it. Of G + noise the part that is above the noise is kept (``denoised``), and W
    taken back.

    Args:
        rows: CSR (U, I) of zeros and ones, ``events`` in each at most. items: ids (I,), ascending. users: how many
            people there are, as that was released. mu: for both sums.
    """
    parts = parts_of(mu)
    deviation = events**0.5 / parts["counts"]
    counts = noise.added(np.asarray(rows.sum(axis=0), np.float64).ravel(), events**0.5, parts["counts"])
    counts = np.maximum(counts, deviation)
    gram = noise.added_to_gram(gram_of(unit_rows(rows, counts)), 1.0, parts["gram"])
    return sums_from(items, users, counts, gram, parts["gram"])


def parts_of(mu: float) -> dict[str, float]:
    """What of ``mu`` goes into the counts, and what into the Gram matrix."""
    return {name: mu * (SPENT[name] / (SPENT["counts"] + SPENT["gram"])) ** 0.5 for name in ("counts", "gram")}


def unit_rows(rows: sp.csr_matrix, counts: Doubles) -> sp.csr_matrix:
    """x_u = W r_u / ‖W r_u‖ of each person, CSR float64 (U, I); zero rows stay so."""
    weighed = sp.csr_matrix(rows.astype(np.float64) @ sp.diags(counts**-POWER))
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1), np.float64)).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(lengths > 0, lengths, 1.0)) @ weighed)


def sums_from(items: tuple[str, ...], users: float, counts: Doubles, gram: Doubles, mu: float) -> ItemSums:
    """Sums from what was released: counts (I,), and the Gram matrix (I, I) of unit rows with noise of ``mu``."""
    gram, scale = denoised(gram, 1 / mu), counts**-POWER
    size = float((scale**2 * counts).sum() / max(counts.sum(), 1.0)) ** 0.5  # as long as without W, all in all
    return ItemSums(items, users, counts, {HALF: gram / np.outer(scale, scale) * size**2})


def denoised(gram: Doubles, sigma: float) -> Doubles:
    """The part of a Gram matrix (I, I) that is above noise of deviation ``sigma`` on its diagonal and σ/√2 above it.

    Eigenvalues of such noise alone lie within ± σ√(2I), but for the highest, which lies above it by σ/√2 I^-⅙ times a
    Tracy–Widom variable: what is not above that too, in one draw of a thousand, is noise. An eigenvalue of G that is
    higher comes out as y = θ + σ²I/(2θ), with a vector that has turned; for the least squared error it is taken for
    √(y² − 2σ²I), and others for 0 (Tracy and Widom, Commun. Math. Phys. 1996, for the highest of noise alone;
    Benaych-Georges and Nadakuditi, Advances in Mathematics 2011, for what becomes of one; Gavish and Donoho, IEEE
    Trans. Inf. Theory 2017, for the shrinkage).
    """
    edge = sigma * (2 * len(gram)) ** 0.5
    if not sigma:
        return gram
    least = edge + sigma / 2**0.5 * len(gram) ** (-1 / 6) * HIGHEST
    values, vectors = eigh(gram, subset_by_value=(least, np.inf), check_finite=False)
    found: Doubles = (vectors * np.sqrt(values**2 - edge**2)) @ vectors.T
    return found


def released_worth(each: Floats, people: float, mu: float, noise: Gaussian) -> float:
    """The mean of figures between 0 and 1 of some people, float32 (n,), each of whom moves their sum by 1 at most; over
    a number of people that is known already."""
    total = noise.added(np.array([each.sum(dtype=np.float64)]), 1.0, mu)[0]
    return float(np.clip(total / max(people, 1.0), 0.0, 1.0))
