"""The least price for a stated target: how strong a re-ranker must be, found on validation users.

``fair.target = gini:-30%`` asks that the Gini coefficient of how often items are shown falls by so much, on lists of
``K``. ``exposure:brand:-30%`` asks that exposure of groups of items (by an attribute, or ``popularity``) comes so much
nearer to the shares in which people took them. The strength is found by bisection, as exposure only comes nearer with
it; what it costs of NDCG is told. No price is paid for a target that is not met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphrec.blocks.folds import Folds
from graphrec.config import Config
from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate import metrics
from graphrec.evaluate.best import top_k
from graphrec.evaluate.groups import grouping
from graphrec.evaluate.ranking import Scorer, Task, hits_of, ranked
from graphrec.profile.api import FittedBlock
from graphrec.profile.gate import Gate
from graphrec.profile.profiles import Profiles
from graphrec.query.query import Queries
from graphrec.query.ties import Ties
from graphrec.rerank.exposure import SPARE, Shares, chosen, priced, prices_of, prices_of_groups, worths
from graphrec.types import Floats, Ints

K = 10
PEOPLE = 6_000  # whose lists prices are learned from, at most
WEAKEST, STRONGEST = 0.05, 6.4
STEPS = 6  # of the bisection, after which the strength is known to about a hundredth of the range it is in


@dataclass(frozen=True)
class Lists:
    """Candidates of U people, best first: items int64 (U, n), -1 where there are none left; scores float32 (U, n);
    relevant CSR (U, I), what they are to find. ``shares``: which groups of items should have which exposure; every item
    the same without it."""

    items: Ints
    scores: Floats
    relevant: sp.csr_matrix
    shares: Shares | None = None

    @classmethod
    def of(
        cls,
        scores: Callable[[Queries], Floats],
        queries: Queries,
        seen: sp.csr_matrix,
        relevant: sp.csr_matrix,
        only: bool = False,
        shares: Shares | None = None,
    ) -> Lists:
        """The best ``K + SPARE`` of each query by a scorer."""
        items, found = [], []
        for _, masked, best in ranked(lambda rows: scores(queries[rows]), len(queries), seen, K + SPARE, only=only):
            items.append(best)
            found.append(np.where(best >= 0, np.take_along_axis(masked, np.maximum(best, 0), axis=1), -np.inf))
        return cls(np.concatenate(items), np.concatenate(found).astype(np.float32), relevant, shares)

    @property
    def measure(self) -> str:
        """What is to fall: the Gini coefficient of exposure, or how far that of groups is from what is wanted."""
        return f"gini@{K}" if self.shares is None else f"exposure_gap@{K}"

    def shown(self, strength: float, prices: Floats) -> Ints:
        """What is shown of each, int64 (U, K)."""
        worth = np.where(self.items >= 0, worths(self.scores), -np.inf).astype(np.float32)
        return np.take_along_axis(self.items, chosen(worth, -strength * priced(prices, self.items), K), axis=1)

    def prices(self, strength: float) -> Floats:
        """The prices at which exposure settles, float32 (I,)."""
        if self.shares is not None:
            return prices_of_groups(self.items, self.scores, self.shares, strength, K)
        return prices_of(self.items, self.scores, self.relevant.shape[1], strength, K)

    def measured(self, shown: Ints) -> dict[str, float]:
        """NDCG and Gini of lists, and how far groups of items are from what is wanted."""
        counts = np.bincount(shown[shown >= 0], minlength=self.relevant.shape[1])
        ndcg = metrics.ndcg(hits_of(shown, self.relevant), np.diff(self.relevant.indptr), K)
        found = {f"ndcg@{K}": float(ndcg.mean(dtype=np.float64)), f"gini@{K}": float(metrics.gini(counts))}
        return found if self.shares is None else {**found, self.measure: self.shares.apart(shown)}


def target_of(text: str) -> float:
    """By which share it is to fall, from ``gini:-30%`` or ``exposure:brand:-30%``, as ``fair.target`` is written."""
    return float(text.partition(":-")[2].removesuffix("%")) / 100


def shares_of(target: str, train: Dataset) -> Shares | None:
    """The groups of items that a target is of, with the shares in which people took them; None where it is of items.

    # No leakage. What training knows tells what is taken. Raises ConfigError for a name that tells no items apart.
    """
    what, _, rest = target.partition(":")
    if what != "exposure":
        return None
    try:
        groups = grouping(f"items.{rest.partition(':')[0]}", train)
    except ConfigError as error:
        raise ConfigError(f"fair.target: {str(error).removeprefix('--by ')}") from None
    return Shares.taken(groups.member, np.asarray(train.seen().sum(axis=0), np.float64).ravel())


def least(lists: Sequence[Lists], target: str) -> dict[str, Any]:
    """The least strength with which the lists of all folds meet the target, 0 where none does, as JSON: ``strength``,
    ``met``, how many ``people`` its prices are of, and ``before``, ``after`` with NDCG and Gini, the means over folds;
    ``curve``: these of every strength that was tried."""
    curve: list[dict[str, float]] = []

    def of(strength: float) -> dict[str, float]:
        each = [
            one.measured(one.shown(strength, one.prices(strength) if strength else np.zeros(1, np.float32)))
            for one in lists
        ]
        point = {name: float(np.mean([e[name] for e in each])) for name in each[0]}
        curve.append({"strength": strength, **point})
        return point

    measure = lists[0].measure
    people = int(np.mean([len(one.items) for one in lists]))  # of more people, all would be shown more often
    wanted, before = target_of(target), of(0.0)
    goal, low, high = before[measure] * (1 - wanted), 0.0, WEAKEST
    after = of(high)
    while after[measure] > goal and high < STRONGEST:
        low, high = high, 2 * high
        after = of(high)
    met = after[measure] <= goal
    for _ in range(STEPS if met else 0):
        middle = (low + high) / 2
        tried = of(middle)
        if tried[measure] <= goal:
            high, after = middle, tried
        else:
            low = middle
    return {
        "target": target,
        "strength": round(high, 6) if met else 0.0,
        "met": met,
        "people": people,
        "before": before,
        "after": after if met else before,
        "curve": sorted(curve, key=lambda point: point["strength"]),
    }


def scorer_of(profiles: Profiles) -> Callable[[Queries], Floats]:
    """Scores of the catalogue by profiles alone, float32 (B, I)."""

    def scores(queries: Queries) -> Floats:
        profile, sparse, _ = profiles.encode(queries)
        out: Floats = profile @ items.T
        return out if sparse is None else out + sparse

    items = profiles.item_matrix()
    return scores


def chosen_for(
    blocks: Mapping[str, Sequence[FittedBlock]],
    weights: Mapping[str, float],
    gate: Gate | None,
    judges: Folds,
    config: Config,
) -> dict[str, Any]:
    """``least`` for ``fair.target``, on the validation users of all folds; where it cannot be met it is said.

    ``blocks``: of each fold, by name.
    """
    lists, task = [], Task.of(config)
    for n, fold in enumerate(judges):
        profiles = Profiles(tuple(of_each[n] for of_each in blocks.values()), gate).reweighted(weights)
        held = fold.validation
        # No leakage. Judged by validation users; what they are to find tells the price and sets no strength.
        seen = task.known(held.queries.seen)
        lists.append(
            Lists.of(
                scorer_of(profiles),
                held.queries,
                seen,
                held.truth,
                task.only,
                shares_of(config.fair.target, fold.inputs.train),
            )
        )
    found = least(lists, config.fair.target)
    if not found["met"]:
        near = min(found["curve"], key=lambda point: point[lists[0].measure])
        fell = " to ".join(f"{point[lists[0].measure]:.4f}" for point in (found["before"], near))
        price = 1 - near[f"ndcg@{K}"] / max(found["before"][f"ndcg@{K}"], 1e-12)
        judges.inputs.train.report.warn(
            f"fair.target={config.fair.target} is not met on validation users: {lists[0].measure} falls from {fell} at "
            f"most, for {max(price, 0.0):.1%} of NDCG; lists stay as they are"
        )
    return found


def prices(
    profiles: Profiles,
    queries: Queries,
    task: Task,
    strength: float,
    people: int = PEOPLE,
    shares: Shares | None = None,
) -> Floats:
    """Prices float32 (I,) from the lists of at most so many of these people, and ``PEOPLE``, evenly among them."""
    some = np.unique(np.linspace(0, len(queries) - 1, min(PEOPLE, people, len(queries))).astype(np.int64))
    asked = queries[some]
    known = task.known(asked.seen)
    return Lists.of(scorer_of(profiles), asked, known, 0 * asked.seen, task.only, shares).prices(strength)


@dataclass(frozen=True)
class Mended:
    """A scorer whose answers are re-ranked by prices: the first ``K`` of each query come first, in their order, with
    scores above all others', the rest as it was."""

    scorer: Scorer
    prices: Floats
    strength: float
    task: Task

    def scores(self, queries: Queries) -> Floats:
        """Scores float32 (B, I)."""
        out = np.array(self.scorer.scores(queries), np.float32)
        known = self.task.known(queries.seen)
        barred: npt.NDArray[np.bool_] = known.toarray() > 0
        masked = np.where(barred if not self.task.only else ~barred, -np.inf, out)
        shown = _best(masked, known).shown(self.strength, self.prices)
        top = out.max(axis=1, initial=0.0)[:, None] + 1 + np.arange(shown.shape[1])[::-1]
        rows, places = np.nonzero(shown >= 0)
        out[rows, shown[rows, places]] = top[rows, places]
        return out


def _best(masked: Floats, known: sp.csr_matrix) -> Lists:
    items = top_k(np.ascontiguousarray(masked), K + SPARE)
    found = np.where(items >= 0, np.take_along_axis(masked, np.maximum(items, 0), axis=1), -np.inf)
    return Lists(items, found.astype(np.float32), 0 * known)


def prices_for(chosen_: Mapping[str, Any], profiles: Profiles, ties: Ties, config: Config) -> Floats | None:
    """The prices of a model with these choices, float32 (I,), from the lists of all whom it knows; None without any."""
    strength, of = strength_of(chosen_), people_of(chosen_)
    if not strength:
        return None
    shares = shares_of(chosen_["fair"].get("target", ""), ties.data)
    return prices(profiles, Queries.stored(ties), Task.of(config), strength, of, shares)


def people_of(chosen_: Mapping[str, Any]) -> int:
    """How many people the prices of a model are of."""
    return int(chosen_.get("fair", {}).get("people", PEOPLE))


def strength_of(chosen_: Mapping[str, Any]) -> float:
    """The strength among the choices of a model; 0 where nothing is mended."""
    return float(chosen_.get("fair", {}).get("strength", 0.0))
