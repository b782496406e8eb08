"""How well a probe tells an attribute of people from the profiles that answers come from, and from cleared ones.

The probe is a logistic regression on standardised rows (wider ones: on their first ``WIDE`` principal components, which
no label decides), learned on some people and asked about others, whose labels weigh alike; what it gets right is the
mean over the labels of the share of their people, so that whoever says the same of everybody gets 1 / K.

An eraser takes the difference of its people's means out of their profiles to the last digit, chance included, so that
a probe that is learned from most of them is misled about the others: it is wrong more often than right, and whoever
turns it round knows something again. This is told as ``held``, where below chance means misled. What clearing does for
anybody else, ``after``, is measured on others: the eraser is learned from two thirds of the people, probes are learned
and asked among the last third, and so for each third. Profiles as they are, ``before``, go the same way, so that both
are told by probes of as many people. An eraser of a model has learned from all: from half as many again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphrec.data.dataset import Dataset
from graphrec.evaluate.labelled import FEWEST, Doubles, Labelled, interactions, surmised
from graphrec.profile.api import FittedBlock
from graphrec.profile.clearing import erase
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.settings import FairConfig
from graphrec.types import Floats, Ints

WIDE = 256
FOLDS = 5
STRENGTH = 0.01  # C of the regression on standardised rows; stronger and weaker ones told less on real data
STRENGTH_RAW = 1.0  # of that on interactions, rows of length 1
MOST = 6_000  # people asked about, at most
CELLS = 2**26  # of the rows of one block that are held at once
ALL = "whole"


def leakage(
    profiles: Profiles,
    ties: Ties,
    key: str,
    told: Dataset | None = None,
    allow: Collection[str] = (),
    seed: int = 0,
    lists: Callable[[Ints], sp.csr_matrix] | None = None,
) -> dict[str, Any]:
    """What profiles tell of one attribute, block by block and all side by side, before clearing and after.

    Args:
        told: where the attribute is, under ids of its own; else the data of ``ties``. allow: sensitive ones that may be
            told, by name. lists: which items users (n,) are shown, CSR (n, I), where that is probed too.

    Returns ``{"classes", "people", "left_out", "majority", "chance", "raw": {"right", "interval"}, "rows": [{"part",
    "before": {"right", "interval"}, "after": …, "held": …}]}``: ``left_out`` are labelled people beyond those drawn;
    ``raw`` is the probe on what people took, and ``answers``, with ``lists``, that on what they are shown. Raises
    DataError, ConfigError as ``Labelled.of``.
    """
    people = labelled(ties.data, key, told, allow)
    drawn, labels = _drawn(people, ties.data.n_items, seed)
    thirds = _thirds(labels, seed)
    names, whole = list[str](), np.arange(len(labels))
    before, after, held = (list[Floats]() for _ in range(3))
    raw = interactions(ties.matrix[drawn])
    # No leakage. Whoever is asked about did not teach the eraser.
    teachers = [(np.setdiff1d(whole, mine), mine) for mine in thirds]
    taught = [(others, mine, surmised(raw[others], labels[others], seed)) for others, mine in teachers]
    itself = [(whole, whole, surmised(raw, labels, seed))]
    for block, part in replace(profiles, clearing=None).parts(Queries.stored(ties, drawn)):
        if np.ptp(part, axis=0).max(initial=0.0) > 0:
            names.append(block.name)
            before.append(_narrow(block, part, seed))
            after.append(_narrow(block, _cleared(part, taught), seed))
            held.append(_narrow(block, _cleared(part, itself), seed))
    if len(names) > 1:
        names = [ALL, *names]
        before, after, held = ([np.hstack(parts), *parts] for parts in (before, after, held))
    rows = [
        {
            "part": name,
            "before": _told(x, labels, thirds, seed),
            "after": _told(y, labels, thirds, seed),
            "held": _told(z, labels, (whole,), seed),
        }
        for name, x, y, z in zip(names, before, after, held, strict=True)
    ]
    answers = {} if lists is None else {"answers": _told(interactions(lists(drawn)), labels, thirds, seed)}
    return {
        "classes": list(people.classes),
        "people": len(drawn),
        "left_out": len(people.users) - len(drawn),
        "majority": float(np.bincount(labels).max() / len(labels)),
        "chance": 1 / len(people.classes),
        "raw": _told(raw, labels, thirds, seed),
        **answers,
        "rows": rows,
    }


def probed_of(probe: Sequence[str], config: FairConfig, known: Dataset, told: Dataset | None = None) -> list[str]:
    """The attributes of people that a probe is to tell: those asked for, and those that are cleared, where the data
    tells them. Raises DataError for one of the former that it does not tell, or of too few."""
    names = list(dict.fromkeys([*probe, *config.probe]))
    for name in names:
        labelled(known, name, told, names)
    for name in config.clear:
        if name not in names and any((d.user_attributes["key"] == name).any() for d in (known, told) if d is not None):
            names.append(name)
    return names


def leaks(
    profiles: Profiles,
    ties: Ties,
    names: Sequence[str],
    told: Dataset,
    seed: int,
    lists: Callable[[Ints], sp.csr_matrix] | None = None,
) -> dict[str, Any]:
    """``leakage`` of each of these attributes, with whether the profiles are ``cleared`` of it, under its name in a
    field of that name; nothing without any."""
    clearing = profiles.clearing
    each = {
        name: leakage(profiles, ties, name, told, names, seed, lists)
        | {"cleared": clearing is not None and name in clearing.names}
        for name in names
    }
    return {"leakage": each} if names else {}


def labelled(known: Dataset, key: str, told: Dataset | None = None, allow: Collection[str] = ()) -> Labelled:
    """The people of ``known`` of whom one value of an attribute is known, told there or in another data set, by id.

    Raises DataError where too few are, and as ``Labelled.of``.
    """
    if told is None or (known.user_attributes["key"] == key).any():
        return Labelled.of(known, key, allow)
    found = Labelled.of(told, key, allow)
    here = known.users.numbers(told.users.ids, missing="-1")[found.users]
    return Labelled(here[here >= 0], found.labels[here >= 0], found.classes).enough(key)


def _drawn(people: Labelled, n_items: int, seed: int) -> tuple[Ints, Ints]:
    """People, as many as can be looked at, and their labels."""
    most = max(min(MOST, CELLS // max(n_items, 1)), FEWEST * len(people.classes))
    some = np.sort(np.random.default_rng(seed).permutation(len(people.users))[:most])
    return people.users[some], people.labels[some]


def _thirds(labels: Ints, seed: int) -> tuple[Ints, ...]:
    """Places of three parts of the people, with as many of each label."""
    random, side = np.random.default_rng(seed), np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        side[mine] = np.arange(len(mine)) % 3
    return tuple(np.flatnonzero(side == n) for n in range(3))


def _cleared(part: Floats, taught: Sequence[tuple[Ints, Ints, Doubles]]) -> Floats:
    """Rows cleared, of some people each time, by an eraser that ``others`` taught: others, some, others' concept."""
    out = part.copy()
    for others, some, concept in taught:
        if (eraser := erase(part[others], concept)) is not None:
            out[some] = eraser(part[some])
    return out


def _narrow(block: FittedBlock, part: Floats, seed: int) -> Floats:
    """Rows float32 (n, d) of a block as far as it says something, each ``WIDE`` at most, times √weight."""
    return _components(part, seed) * np.float32(block.weight**0.5)


def _components(rows: Floats, seed: int) -> Floats:
    from sklearn.decomposition import PCA

    if rows.shape[1] <= WIDE or len(rows) <= WIDE:
        return rows
    return np.asarray(PCA(WIDE, svd_solver="randomized", iterated_power=2, random_state=seed).fit_transform(rows))


def _told(rows: Any, labels: Ints, parts: Sequence[Ints], seed: int) -> dict[str, Any]:
    """What a probe gets right of people whom it did not learn from, within each part of them, and its 95 % interval."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    found = np.zeros(len(labels), np.int64)
    for part in parts:
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        found[part] = cross_val_predict(_probe(sp.issparse(rows)), rows[part], labels[part], cv=folds)
    return balanced(found, labels)


def balanced(found: Ints, labels: Ints) -> dict[str, Any]:
    """Mean over the labels of the share of their people that is told right, and its normal 95 % interval: each share is
    of people drawn apart, so their variances add up."""
    counts = np.bincount(labels).astype(np.float64)
    there = counts > 0
    shares: Doubles = np.bincount(labels, found == labels)[there] / counts[there]
    error = float(np.sqrt((shares * (1 - shares) / counts[there]).sum())) / len(shares)
    right = float(shares.mean())
    return {"right": right, "interval": [max(0.0, right - 1.96 * error), min(1.0, right + 1.96 * error)]}


def _probe(raw: bool) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    strength = STRENGTH_RAW if raw else STRENGTH
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=500)
    return model if raw else make_pipeline(StandardScaler(), model)
