"""Secure aggregation: whoever adds up sees sums that look random, and only their total is what it is.

Each pair of parties shares a key that nobody else has. Of every number a party sends, one of a pair adds what the key
draws and the other subtracts it, in the ring of integers modulo 2⁶⁴; in the total all masks cancel exactly (Bonawitz et
al., Practical Secure Aggregation for Privacy-Preserving Machine Learning, CCS 2017, without its recovery of parties
that drop out: where one is missing the total is noise, and the round is begun anew).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.linalg.sums import ItemSums

Words = npt.NDArray[np.uint64]
Doubles = npt.NDArray[np.float64]
POINT = 32  # binary digits behind the point: an entry is rounded by 2⁻³³ at most
MOST = 2.0 ** (62 - POINT)  # a total up to which it is told from its negative


def masked(values: Doubles, keys: Mapping[str, bytes], own: str, round_: str) -> Words:
    """Numbers (n,) as what may be sent, uint64 (n,).

    Args:
        keys: of each other party's name, the key that both share. own: the name of this party. round_: another for
            each message, or one mask would be used twice.

    Raises DataError for numbers that are too large for the ring.
    """
    if len(values) and not float(np.abs(values).max()) < MOST:
        raise DataError(f"a sum of {float(np.abs(values).max()):g} does not fit the ring of masks, up to {MOST:g}")
    out = np.rint(values * 2.0**POINT).astype(np.int64).view(np.uint64).copy()
    for name, key in keys.items():
        drawn = hashlib.shake_256(key + round_.encode()).digest(8 * len(out))
        mask = np.frombuffer(drawn, "<u8").astype(np.uint64)
        out = out + mask if own < name else out - mask
    return out


def total(parts: Sequence[Words]) -> Doubles:
    """The sum of what all parties sent, float64 (n,)."""
    out = np.zeros_like(parts[0])
    for part in parts:
        out = out + part
    return out.view(np.int64).astype(np.float64) / 2.0**POINT


def flat(sums: ItemSums) -> Doubles:
    """All numbers of some sums in a row, float64 (n,)."""
    upper = np.triu_indices(len(sums.items))
    return np.concatenate([[sums.users], sums.counts, *(gram[upper] for gram in sums.grams.values())])


def as_sums(numbers: Doubles, like: ItemSums) -> ItemSums:
    """What ``flat`` laid out, over the items of other sums and with their exponents."""
    size, upper = len(like.items), np.triu_indices(len(like.items))
    ends = np.cumsum([1, size, *[len(upper[0])] * len(like.grams)])
    grams = {}
    for alpha, (start, end) in zip(like.grams, pairwise(ends[1:]), strict=True):
        gram = np.zeros((size, size))
        gram[upper] = numbers[start:end]
        gram.T[upper] = numbers[start:end]
        grams[alpha] = gram
    return replace(like, users=float(numbers[0]), counts=numbers[1 : 1 + size], grams=grams)
