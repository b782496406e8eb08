"""Whom a system serves worse is served better: weights of the blend, chosen with more say for the group served worst.

``fair.target = gap:gender:-50%`` asks that the NDCG gap between groups of people, best less worst mean, falls by so
much; ``worst:gender:+3%`` that NDCG of the group that is served worst rises by so much. Each validation user has a say

    a_u = (1 − t) + t · N / n_w · [u is of the worst group]        N people, n_w of these of the worst group

in both estimates of the blend (``blocks.blend``): t = 0 is the mean over people, t = 1 the worst group alone, as group
DRO has it (Sagawa et al., ICLR 2020). Of the tilts that meet the target the one of the highest NDCG is taken. Groups
are read of validation users alone: nobody is asked for an attribute when they are answered, and the model holds none.

A gap is closed from below: a tilt with which the worst group is served worse is none. What is not surely a gap, by
Welch's F test at ``SURE``, is chance and not mended; and no price is paid for a target that is not met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphrec.blocks.blend import EVEN, LEAST, STEPS, SWEEPS, likeliest, listed
from graphrec.blocks.folds import Among, Folds
from graphrec.config import Config
from graphrec.data.show import counted
from graphrec.errors import ConfigError
from graphrec.evaluate import mending
from graphrec.evaluate.fairness import alike
from graphrec.evaluate.groups import FEWEST, OWN, UNKNOWN, grouping
from graphrec.profile.api import Doubles, FittedBlock
from graphrec.profile.gate import Gate
from graphrec.types import Floats, Ints

TILTS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
SURE = 0.05
DIGITS = 6
GROUPS = ("gap:", "worst:")  # targets of groups of people
Point: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """Validation users of all folds with short lists, and their groups.

    Args:
        lists, parts: of each fold the items listed, and blocks' scores of these, float32 (b, A, C), as ``blend.listed``
            has them. place: the group of each of the N users, int64 (N,), -1 where it is not known. labels: G names.
        k: what NDCG is at.
    """

    lists: Sequence[Among]
    parts: Sequence[Floats]
    place: Ints
    labels: tuple[str, ...]
    k: int = 10

    def ndcg(self, weights: Doubles) -> Floats:
        """NDCG of each user, float32 (N,), with weights (b,)."""
        totals = (np.tensordot(weights.astype(np.float32), scores, axes=1) for scores in self.parts)
        return np.concatenate([one.per_user_ndcg(t) for one, t in zip(self.lists, totals, strict=True)])

    def means(self, ndcg: Floats) -> Doubles:
        """The mean of each group with anybody in it, float64 (G,); NaN without."""
        there = self.place >= 0
        sizes = np.bincount(self.place[there], minlength=len(self.labels))
        sums = np.bincount(self.place[there], ndcg[there].astype(np.float64), len(self.labels))
        return np.asarray(np.divide(sums, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0), np.float64)

    def point(self, ndcg: Floats) -> Point:
        """NDCG of all, of each group, of the worst one, and the gap between best and worst, as JSON."""
        means = self.means(ndcg)
        told = {name: round(float(mean), DIGITS) for name, mean in zip(self.labels, means, strict=True) if mean == mean}
        low, high = float(np.nanmin(means)), float(np.nanmax(means))
        return {
            f"ndcg@{self.k}": round(float(ndcg.mean(dtype=np.float64)), DIGITS),
            "worst": round(low, DIGITS),
            "gap": round(high - low, DIGITS),
            "groups": told,
        }

    def tilted(self, group: int, tilt: float) -> Doubles:
        """Weights of blocks at unit deviation, float64 (b,), of sum 1, with more say for a group."""
        n, of_group = len(self.place), self.place == group
        say = (1 - tilt) + tilt * n / max(of_group.sum(), 1) * of_group  # (N,)
        ends = np.cumsum([0, *(one.of for one in self.lists)])
        own = [say[start:][one.users] for start, one in zip(ends, self.lists, strict=False)]
        first, _ = likeliest(self.lists, self.parts, says=own)
        first = first / first.sum() if first.sum() > 0 else np.full(len(first), 1 / len(first))
        best = first / first.max()
        top = float(say @ self.ndcg(best))
        for _ in range(SWEEPS if len(best) > 1 else 0):
            before = best
            for at in range(len(best)):
                for step in STEPS:
                    tried = best.copy()
                    tried[at] = step
                    if tried.any() and (found := float(say @ self.ndcg(tried))) > top:
                        best, top = tried, found
            if best is before:
                break
        out = first + best / best.sum() * (n / EVEN)
        out[out < LEAST * out.max()] = 0.0
        return np.asarray(out / out.sum(), np.float64)


def levelled(served: Served, start: Doubles, target: str) -> tuple[Doubles | None, dict[str, Any]]:
    """Weights that meet a target at the least price, None where ``start`` stays; and what was found, as JSON:
    ``p_value`` of the gap, ``sure``, ``met``, ``group`` that is worst, ``before``, ``after`` and the ``curve``."""
    ndcg = served.ndcg(start)
    before = served.point(ndcg)
    group = int(np.nanargmin(served.means(ndcg)))
    p_value = alike([ndcg[served.place == g] for g in range(len(served.labels)) if (served.place == g).any()])
    told: dict[str, Any] = {"target": target, "p_value": p_value, "sure": p_value <= SURE, "met": False}
    told |= {"group": served.labels[group], "before": before, "after": before, "curve": [{"tilt": 0.0, **before}]}
    if not told["sure"]:
        return None, told
    curve, tried = told["curve"], []
    for tilt in TILTS:
        tried.append(served.tilted(group, tilt))
        curve.append({"tilt": tilt, **served.point(served.ndcg(tried[-1]))})
    able = [n for n, point in enumerate(curve[1:]) if meets(point, before, target)]
    if not able:
        return None, told
    best = max(able, key=lambda n: curve[n + 1][f"ndcg@{served.k}"])
    return tried[best], told | {"met": True, "tilt": TILTS[best], "after": curve[best + 1]}


def meets(point: Point, before: Point, target: str) -> bool:
    """Whether a point meets a target, and the worst group is served no worse than before."""
    what, _, by = target.split(":")
    share = float(by.strip("+-%")) / 100
    if point["worst"] < before["worst"]:
        return False
    if what == "gap":
        return bool(point["gap"] <= before["gap"] * (1 - share))
    return bool(point["worst"] >= before["worst"] * (1 + share))


def for_target(
    blocks: Mapping[str, Sequence[FittedBlock]],
    weights: Mapping[str, float],
    gate: Gate | None,
    judges: Folds,
    config: Config,
) -> tuple[dict[str, float], dict[str, Any]]:
    """The weights of the blend, and what was found for ``fair.target``, of groups of people (``chosen_for``) or of what
    is shown (``mending``); nothing without one."""
    if not config.fair.target:
        return dict(weights), {}
    if config.fair.target.startswith(GROUPS):
        return chosen_for(blocks, weights, gate, judges, config)
    return dict(weights), mending.chosen_for(blocks, weights, gate, judges, config)


def price_of(told: Mapping[str, Any]) -> float:
    """The share of NDCG on validation users that other weights gave up for a target."""
    if not told.get("target", "").startswith(GROUPS):
        return 0.0
    name = next(key for key in told["before"] if key.startswith("ndcg@"))
    before, after = told["before"][name], told["after"][name]
    return float(1 - after / before) if before else 0.0


def served_of(
    blocks: Mapping[str, Sequence[FittedBlock]], gate: Gate | None, judges: Folds, name: str, config: Config
) -> tuple[Served, Doubles]:
    """The validation users of all folds with groups by an attribute, and blocks' deviations, float64 (b,).

    Raises ConfigError for a name that tells no people apart, or none of whom enough are validation users.
    """
    many = max(config.blend.candidates, 2 * config.blend.k)
    lists, parts, spreads = listed(list(blocks.values()), judges, many)
    labels: tuple[str, ...] = ()
    place: list[Ints] = []
    for fold, one, scores in zip(judges, lists, parts, strict=True):
        queries = fold.validation.queries
        factors = {} if gate is None else gate.factors(queries[one.users])
        for n, block in enumerate(blocks):
            if block in factors:
                scores[n] *= factors[block][:, None]
        try:
            of_all = None if name != OWN["users"] else queries.user_nums  # a fold alone has too few of some
            groups = grouping(f"users.{name}", fold.inputs.train, tested=of_all)
        except ConfigError as error:
            raise ConfigError(f"fair.target: {str(error).removeprefix('--by ')}") from None
        named = [str(n) if name == OWN["users"] else label for n, label in enumerate(groups.labels)]  # bands by order
        labels = tuple(dict.fromkeys([*labels, *(label for label in named if label != UNKNOWN)]))
        number = np.array([labels.index(label) if label in labels else -1 for label in named], np.int64)
        place.append(number[groups.label_of(queries.user_nums)])
    all_, labels = large(np.concatenate(place), labels)
    if len(labels) < 2:
        raise ConfigError(
            f"fair.target: {name} tells no two groups of {FEWEST} validation users apart; name another attribute"
        )
    return Served(lists, parts, all_, labels, config.blend.k), spreads.astype(np.float64)


def large(place: Ints, labels: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Groups of ``FEWEST`` people at least, by the places of all: new places, -1 of who is in none, and names."""
    kept = np.flatnonzero(np.bincount(place[place >= 0], minlength=len(labels)) >= FEWEST)
    number = np.full(len(labels) + 1, -1, np.int64)  # the last is of who is in none
    number[kept] = np.arange(len(kept))
    return number[place], tuple(labels[n] for n in kept.tolist())


def chosen_for(
    blocks: Mapping[str, Sequence[FittedBlock]],
    weights: Mapping[str, float],
    gate: Gate | None,
    judges: Folds,
    config: Config,
) -> tuple[dict[str, float], dict[str, Any]]:
    """The weights of the blend that meet ``fair.target`` at the least price, those that it has where none do, and what
    was found (``levelled``); where nothing is mended it is said.

    # No leakage. Groups are those of validation users, and what they are to find was held out.
    """
    target = config.fair.target
    served, spreads = served_of(blocks, gate, judges, target.split(":")[1], config)
    start = np.array([weights[name] for name in blocks]) * spreads
    found, told = levelled(served, start if start.any() else np.ones(len(start)), target)
    warn, before = judges.inputs.train.report.warn, told["before"]
    if not told["sure"]:
        who = counted(int((served.place >= 0).sum()), "validation users")
        warn(
            f"fair.target={target}: of {who} no gap is surely above chance (p = {told['p_value']:.2g}): none is mended"
        )
    elif found is None:
        least, most = (f(point[what] for point in told["curve"]) for f, what in ((min, "gap"), (max, "worst")))
        near = (
            f"the gap {before['gap']:.4f} falls to {least:.4f}, the worst group's NDCG {before['worst']:.4f} rises to"
        )
        warn(
            f"fair.target={target} is not met on validation users: {near} {most:.4f} at most; weights stay as they are"
        )
    if found is None:
        return dict(weights), told
    own = np.divide(found, spreads, out=np.zeros_like(found), where=spreads > 0)
    return {name: float(w) for name, w in zip(blocks, own / own.max(), strict=True)}, told
