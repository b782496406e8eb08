"""Whether blocks count for more or less by what is known of who asks, and how: ``profile.gate``, on validation users.

θ minimises the listwise softmax loss of what users were held out (``blocks.blend``), with the weights w of the blend as
they are,

    - Σ_u mean_{i ∈ P_u} log softmax_i(exp(a + ⟨τ, φ(u)⟩) Σ_b w_b exp(⟨θ_b, φ(u)⟩) s_b(u, ·)) + ``PULL`` |θ|² + |τ|²

where a and τ, how sharp scores are for whom, take up what changes no ranking and go. The pull towards 0 counts as much
as the say of so many users. The gate is used where it surely ranks better than the weights as they are: by ``SURE``
standard errors of NDCG on people by whom it was not learned, in ``PARTS`` parts, whoever is in several folds in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from graphrec.blocks.blend import TINY, listed
from graphrec.blocks.folds import Among, Folds, worth
from graphrec.profile.api import Doubles, FittedBlock
from graphrec.profile.gate import FEATURES, MOST, Gate, factors, features
from graphrec.stages import JUDGING
from graphrec.types import Floats, Ints

PULL = 30.0  # users whose say it takes
SURE = 2.0  # standard errors
PARTS = 5
LEAST = 100  # people with anything found in their lists, below which there is no gate
STEPS = 60  # of the descent
DIGITS = 6
SHARPNESS = 4.0  # of the exponent, either way


@dataclass(frozen=True)
class Gated:
    """A gate, or None where none is surely better; the share by which value (``Folds.value``) grows with one on people
    by whom it was not learned, and the standard error of that."""

    gate: Gate | None = None
    gain: float = 0.0
    error: float = 0.0

    def told(self) -> dict[str, Any]:
        """As JSON can hold it."""
        known = {} if self.gate is None else self.gate.told()
        return {**known, "gain": round(self.gain, DIGITS), "error": round(self.error, DIGITS)}


@dataclass(frozen=True)
class _Fold:
    """Of A users with lists of C items: s at unit deviation times w, float32 (b, A, C); φ float64 (A, f); what is right
    as shares bool and float32 (A, C); and who they are, int64 (A,)."""

    among: Among
    scores: Floats
    known: Doubles
    shares: Floats
    users: Ints


@JUDGING
def gated(
    blocks: Mapping[str, Sequence[FittedBlock]],
    folds: Folds,
    weights: Mapping[str, float],
    candidates: int,
    seed: int = 42,
    names: Sequence[str] = tuple(FEATURES),
) -> Gated:
    """The gate over the blocks that have a weight, if one is surely better.

    # No leakage. Everything is learned and judged on validation users.

    Args:
        blocks: as they were fitted on every fold. candidates: as in ``blend``. seed: of the parts. names: of the
            features that it may hear.
    """
    heard = [name for name, weight in weights.items() if weight > 0]
    if len(heard) < 2 or not folds.users:
        return Gated()
    lists, parts, spreads = listed([blocks[name] for name in heard], folds, candidates)
    unit = np.array([weights[name] for name in heard]) * spreads
    if (unit > 0).sum() < 2:
        return Gated()
    raw = [features(f.validation.queries[one.users], names) for f, one in zip(folds, lists, strict=True)]
    telling = np.array([np.unique(column[~np.isnan(column)]).size > 1 for column in np.concatenate(raw).T])
    scale = _scale(np.concatenate(raw)[:, telling], [name for name, tells in zip(names, telling, strict=True) if tells])
    people = [f.validation.queries.user_nums[one.users] for f, one in zip(folds, lists, strict=True)]
    whole = [
        _Fold(
            one,
            np.asarray(scores * (unit / unit.max())[:, None, None], np.float32),
            scale.scaled(found[:, telling]),
            np.asarray(one.relevant / np.maximum(one.relevant.sum(axis=1, keepdims=True), 1), np.float32),
            who,
        )
        for one, scores, found, who in zip(lists, parts, raw, people, strict=True)
    ]
    everybody = np.unique(np.concatenate(people))
    if len(everybody) < LEAST or not telling.any():
        return Gated()
    part = np.zeros(int(everybody.max()) + 1, np.int64)
    part[everybody] = np.random.default_rng(seed).permutation(len(everybody)) % PARTS
    # No leakage. Who judges is none of whom it was learned from.
    slopes = [_learned(whole, [part[f.users] != n for f in whole]) for n in range(PARTS)]
    plain = np.concatenate([f.among.per_user_ndcg(f.scores.sum(axis=0)) for f in whole])
    swayed = np.concatenate([f.among.per_user_ndcg(_swayed(f, slopes, part[f.users])) for f in whole])
    value, other = (max(worth(ndcg, folds.members), TINY) for ndcg in (swayed, plain))
    lead, own = float(np.log(value / other)), len({int(u) for f in folds for u in f.validation.queries.user_nums})
    error = max(folds.doubt(swayed, plain), TINY) * (folds.users / own) ** 0.5  # who is in several folds counts once
    if lead <= SURE * error:
        return Gated(None, float(np.expm1(lead)), error)
    found = _learned(whole, [np.ones(len(f.users), bool) for f in whole])
    rounded = {name: tuple(np.round(row, DIGITS).tolist()) for name, row in zip(heard, found, strict=True)}
    return Gated(replace(scale, slopes=rounded), float(np.expm1(lead)), error)


def _scale(found: Doubles, names: Sequence[str]) -> Gate:
    """Means and deviations of features (N, f), as a gate without slopes."""
    told = [(round(float(np.nanmean(c)), DIGITS), max(round(float(np.nanstd(c)), DIGITS), 1e-3)) for c in found.T]
    return Gate(tuple(names), tuple(mean for mean, _ in told), tuple(spread for _, spread in told), {})


def _swayed(fold: _Fold, slopes: Sequence[Doubles], part: Ints) -> Floats:
    """Scores (A, C), of each user by the slopes that were learned without their part."""
    by = np.stack([factors(fold.known @ s.T) for s in slopes])[part, np.arange(len(part))]  # (A, b)
    out: Floats = np.einsum("ab,bac->ac", by.astype(np.float32), fold.scores)
    return out


def _learned(folds: Sequence[_Fold], rows: Sequence[Any]) -> Doubles:
    """θ from some users of each fold, float64 (b, f)."""
    b, f = len(folds[0].scores), folds[0].known.shape[1]
    some = [(o.scores[:, r], o.known[r], o.shares[r], o.among.none[r]) for o, r in zip(folds, rows, strict=True)]
    users = max(sum(len(known) for _, known, _, _ in some), 1)

    def loss(x: Doubles) -> tuple[float, Doubles]:
        sharp, theta = x[: f + 1], x[f + 1 :].reshape(b, f)
        total = PULL * float(np.square(theta).sum()) + float(np.square(sharp[1:]).sum())
        slope, of_sharp = 2 * PULL * theta, 2 * np.append(0.0, sharp[1:])
        for scores, known, shares, none in some:
            scale = np.exp(np.clip(sharp[0] + known @ sharp[1:], -SHARPNESS, SHARPNESS))  # (A,)
            exponents = known @ theta.T
            by = factors(exponents) * scale[:, None]  # (A, b)
            logits = np.einsum("ab,bac->ac", by.astype(np.float32), scores)
            logits[none] = -np.inf
            logs = log_softmax(logits, axis=1)
            right = shares > 0
            total -= float(shares[right] @ logs[right])
            each = np.einsum("ac,bac->ab", np.exp(logs) - shares, scores) * by  # (A, b)
            of_sharp += np.append(each.sum(), known.T @ each.sum(axis=1))
            slope = slope + (each * (np.abs(exponents) < MOST)).T @ known
        return total / users, np.concatenate([of_sharp, slope.ravel()]) / users

    found = minimize(loss, np.zeros(1 + f + b * f), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    theta: Doubles = found[f + 1 :].reshape(b, f)
    return theta
