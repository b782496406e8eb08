"""How well whoever knows what somebody took can tell whether a model learned from them: membership inference.

M models learn, each from half of the people as drawn for it; each in turn is the target, and the others are the shadow
models that show how somebody looks whom a model knows and whom it does not (Shokri et al., IEEE S&P 2017; of
recommenders Zhang et al., CCS 2021). What is looked at of a person, by the items that they took:

artifact    of each block, how near these items are to each other: mean weight and share of links, or mean inner product
            and cosine of their sides
answers     a part of the items is asked with, as a stranger's history, and the others are looked for in the list: how
            many come back, how far up, and how high they score; until each was looked for once

Of each figure x the likelihood ratio of "known" and "not" is taken, by normal densities whose means and deviations are
those among the shadow models (LiRA: Carlini et al., IEEE S&P 2022, §VI; drawn to all people's where shadows are few).
A logistic regression, learned from other people in the shadow models, makes one guess of all figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.stats import rankdata

from graphrec.evaluate.ranking import Scorer, ranked
from graphrec.profile.profiles import Profiles
from graphrec.query.query import STRANGER, Queries, query_of
from graphrec.query.ties import Ties

Doubles = npt.NDArray[np.float64]
States = npt.NDArray[np.int8]
OUT, IN, ERASED = 0, 1, 2  # of a person, to a model: it never knew them, knows them, has forgotten them
ASKED = 4  # parts that a history is asked about in
LISTS = 100  # items of a list that is looked at
FOLDS = 5
FALSE_ALARMS = 0.01  # share of the others who are taken for members, at which it is told how many members are found
DRAWN = 1.0  # shadow models that what holds of everybody counts as much as
LARGEST = 10.0  # of a figure of the guess, in deviations


def artifact(profiles: Profiles, taken: sp.csr_matrix) -> dict[str, Doubles]:
    """How near the items of each person (P, I), binary, are to each other, block by block: float64 (P, F).

    Blocks without sides or links of items alone are left out.
    """
    taken = sp.csr_matrix(taken, dtype=np.float64)
    n = np.diff(taken.indptr).astype(np.float64)
    pairs = np.maximum(n * (n - 1), 1.0)
    found = {}
    for block in profiles.heard:
        sides: Any = block.items
        if sides.shape[0] != taken.shape[1]:
            continue
        if block.sparse and sides.shape[0] == sides.shape[1]:
            links = [sides, sides.astype(np.bool_).astype(np.float64)] if isinstance(sides, sp.csr_matrix) else [sides]
            figures = [_among(taken, link) / pairs for link in links]
        elif not sp.issparse(sides):
            lengths = np.linalg.norm(sides, axis=1, keepdims=True)
            unit = sides / np.maximum(lengths, 1e-12)
            figures = [_together(taken, np.asarray(rows, np.float64)) / pairs for rows in (sides, unit)]
        else:
            continue
        found[block.name] = np.stack(figures, axis=1)
    return found


def _among(taken: sp.csr_matrix, links: Any) -> Doubles:
    """Σ of the links between different items of each row, float64 (P,)."""
    reached = taken @ links
    all_: Any = sp.csr_matrix(taken.multiply(reached)).sum(axis=1)
    out: Doubles = np.asarray(all_, np.float64).ravel() - taken @ np.asarray(links.diagonal(), np.float64)
    return out


def _together(taken: sp.csr_matrix, sides: Doubles) -> Doubles:
    """Σ of the inner products of the sides of different items of each row, float64 (P,)."""
    own = np.square(sides).sum(axis=1)
    out: Doubles = np.square(taken @ sides).sum(axis=1) - taken @ own
    return out


def answers(scorer: Scorer, ties: Ties, taken: sp.csr_matrix, seed: int = 0, k: int = LISTS) -> Doubles:
    """What lists of ``k`` show of each person (P, I): float64 (P, 3), means over what was not asked with of whether it
    came back, of 1 / log2(1 + place), and of its score as a share of what lies between the last one's and the first's.
    """
    asked, sought, whose = _questions(taken, seed)
    queries = Queries.of(ties, [query_of(ties, STRANGER, row.indices.astype(np.int64)) for row in asked])
    sums = np.zeros((taken.shape[0], 3))
    for rows, scores, items in ranked(lambda places: scorer.scores(queries[places]), len(whose), asked, k):
        wanted = np.asarray(sought[rows].toarray(), bool)
        there = items >= 0
        hit = np.take_along_axis(wanted, np.maximum(items, 0), axis=1) & there
        given = np.where(there, np.take_along_axis(scores, np.maximum(items, 0), axis=1), np.nan).astype(np.float64)
        least, most = np.nanmin(given, axis=1, keepdims=True), np.nanmax(given, axis=1, keepdims=True)
        height = np.nan_to_num((given - least) / np.maximum(most - least, 1e-12))
        gain = 1 / np.log2(2 + np.arange(items.shape[1]))
        figures = np.stack([(hit * weight).sum(axis=1) for weight in (1.0, gain, height)], axis=1)
        np.add.at(sums, whose[rows], figures)
    out: Doubles = sums / np.maximum(np.diff(taken.indptr), 1)[:, None]
    return out


def _questions(taken: sp.csr_matrix, seed: int) -> tuple[sp.csr_matrix, sp.csr_matrix, npt.NDArray[np.int64]]:
    """What is asked with and what is looked for, CSR (Q, I), and whose question it is, int64 (Q,): the items of each
    person in ``ASKED`` parts as drawn, fewer where there are fewer items, each part looked for once."""
    random = np.random.default_rng(seed)
    n = np.diff(taken.indptr)
    parts = np.minimum(ASKED, n)
    first = np.cumsum(parts) - parts
    whose = np.repeat(np.arange(taken.shape[0]), parts)
    person = np.repeat(np.arange(taken.shape[0]), n)
    order = np.lexsort((random.random(len(person)), person))
    place = np.empty(len(person), np.int64)
    place[order] = np.arange(len(person)) - np.repeat(taken.indptr[:-1], n)
    mine = first[person] + place % parts[person]
    size = (len(whose), taken.shape[1])
    sought = sp.csr_matrix((np.ones(len(mine), np.int8), (mine, taken.indices)), size)
    asked = sp.csr_matrix(sp.csr_matrix(taken, dtype=np.int8)[whose] - sought)
    asked.eliminate_zeros()
    return asked, sought, whose


def guesses(figures: Sequence[Doubles], states: States, seed: int = 0) -> Doubles:
    """How sure the attack is of each person's membership in each model, float64 (M, P), any monotone scale.

    Args:
        figures: of each model float64 (P, F). states: int8 (M, P), ``OUT``, ``IN`` or ``ERASED`` of each person and
            model; nothing is learned from the last, nor from the state of a person in the model that is asked about.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.stack(figures)  # (M, P, F)
    x = x - x.mean(axis=1, keepdims=True)
    looks = np.stack([_looks(x, states, m) for m in range(len(x))])  # (M, P, 2F)
    fold = np.random.default_rng(seed).permutation(x.shape[1]) % FOLDS
    out = np.zeros(states.shape)
    for m in range(len(x)):
        shadows = np.arange(len(x)) != m
        for n in range(FOLDS):
            # No leakage. The guess is learned from other people, in the shadow models.
            known = shadows[:, None] & (fold != n)[None, :] & (states != ERASED)
            guess = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=300))
            guess.fit(looks[known], states[known])
            # How many others are members says nothing: a target with fewer would have shadows with more.
            out[m, fold == n] = guess.decision_function(looks[m, fold == n]) - guess[-1].intercept_[0]
    return out


def _looks(x: Doubles, states: States, target: int) -> Doubles:
    """Of each figure in one model the likelihood ratio by the others, and its distance to their mean: (P, 2F)."""
    others = np.arange(len(x)) != target
    values, own = x[others], states[others]
    n_in, n_out = ((own == state).sum(axis=0)[:, None].astype(np.float64) for state in (IN, OUT))  # (P, 1)
    sums = [np.where((own == state)[:, :, None], values, 0.0).sum(axis=0) for state in (IN, OUT)]  # (P, F)
    inside, outside = (total / np.maximum(n, 1) for total, n in zip(sums, (n_in, n_out), strict=True))
    centre = (sums[0] + sums[1]) / np.maximum(n_in + n_out, 1)
    usual = np.where((own == IN)[:, :, None], inside, outside)
    squares = np.where((own != ERASED)[:, :, None], np.square(values - usual), 0.0).sum(axis=0)
    free = np.maximum(n_in - 1, 0) + np.maximum(n_out - 1, 0)
    variance = (squares + 2 * squares.sum(axis=0) / max(float(free.sum()), 1.0)) / (free + 2)
    deviation = np.sqrt(np.maximum(variance, 1e-24))
    both = ((n_in > 0) & (n_out > 0)).ravel()
    shift = ((inside - outside) / deviation)[both].mean(axis=0) if both.any() else np.zeros(x.shape[2])
    share = n_in / np.maximum(n_in + n_out, 1)
    means = []
    for total, n, towards in ((sums[0], n_in, 1 - share), (sums[1], n_out, -share)):
        means.append((total + DRAWN * (centre + towards * shift * deviation)) / (n + DRAWN))
    near = [np.square((x[target] - mean) / deviation) for mean in means]
    ratio, distance = (near[1] - near[0]) / 2, (x[target] - centre) / deviation
    return np.hstack([np.clip(ratio, -LARGEST, LARGEST), np.clip(distance, -LARGEST, LARGEST)])


def judged(guess: Doubles, states: States, state: int = IN) -> dict[str, Any]:
    """How well those of a ``state`` are told from those whom a model never knew, float64 and int8 (M, P) both.

    Returns ``{"auc", "interval", "tpr", "tpr_interval", "pairs"}``: the area under the ROC curve, .5 by chance; the
    share found where ``FALSE_ALARMS`` of the others are taken for them; and how many of them there were in all models.
    Intervals are normal ones of 95 %, by the influence of each person over all models (for the share, at the threshold
    that was found).
    """
    yes, no = states == state, states == OUT
    person = np.broadcast_to(np.arange(states.shape[1]), states.shape)
    ours, others = guess[yes], guess[no]
    ranks = rankdata(np.concatenate([ours, others]))
    above = (ranks[: len(ours)] - rankdata(ours)) / len(others)  # share of the others below each of ours, ties half
    below = 1 - (ranks[len(ours) :] - rankdata(others)) / len(ours)
    auc = float(above.mean())
    threshold = np.quantile(others, 1 - FALSE_ALARMS, method="higher")
    caught = (ours > threshold).astype(np.float64)
    n_people = states.shape[1]
    moved = np.zeros(n_people)
    found = np.zeros(n_people)
    np.add.at(moved, person[yes], (above - auc) / len(ours))
    np.add.at(moved, person[no], (below - auc) / len(others))
    np.add.at(found, person[yes], (caught - caught.mean()) / len(ours))
    return {
        "auc": auc,
        "interval": _interval(auc, moved),
        "tpr": float(caught.mean()),
        "tpr_interval": _interval(float(caught.mean()), found),
        "pairs": len(ours),
    }


def _interval(value: float, moved: Doubles) -> list[float]:
    width = 1.96 * float(np.sqrt(np.square(moved).sum()))
    return [max(0.0, value - width), min(1.0, value + width)]


def membership(
    shown: Sequence[Mapping[str, Mapping[str, Doubles]]], states: States, wanted: Sequence[int] = (IN,), seed: int = 0
) -> list[dict[str, Any]]:
    """The attack by all that is shown, by each surface of it, and by each part.

    Args:
        shown: of each model surface → part → float64 (P, F). wanted: the states that are told from ``OUT``.

    Returns rows ``{"of", "part", "auc", …}`` as ``judged``, with a field for each further state: ``part`` is "" where
    all parts of a surface are looked at.
    """
    surfaces = {of: list(parts) for of, parts in shown[0].items()}
    looked: list[tuple[str, str, list[tuple[str, str]]]] = []
    if len(surfaces) > 1:
        looked.append(("both", "", [(of, part) for of, parts in surfaces.items() for part in parts]))
    for of, parts in surfaces.items():
        looked.append((of, "", [(of, part) for part in parts]))
        looked += [(of, part, [(of, part)]) for part in parts if len(parts) > 1]
    rows = []
    for of, part, columns in looked:
        if not columns:
            continue
        guess = guesses([np.hstack([one[a][b] for a, b in columns]) for one in shown], states, seed)
        first, *rest = (judged(guess, states, state) for state in wanted)
        names = {IN: "known", ERASED: "erased"}
        rows.append({"of": of, "part": part, **first})
        rows[-1] |= {names[state]: found for state, found in zip(wanted[1:], rest, strict=True)}
    return rows
