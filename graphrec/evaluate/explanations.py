"""Do explanations hold, and do they matter? Measured on what is recommended to a sample of users.

    validity        part of the path steps that exist, and of the quotes that are verbatim
    faithfulness    how much the score falls when the n pieces shown first are deleted and the user is encoded anew,
                    over how much it falls when n random pieces of the same kinds are; the ratio of the means.
                    Of few pieces the random ones are often the shown ones, and always where there is one; so there
                    is also
    against others  the same over n random pieces that are not shown, where there are as many
    sufficiency     part of the score that is left when the user is encoded from those n pieces alone
    entity lift     how much more usual the entities on the paths are with those who took both items than in general,
                    the median; see ``explain.lift``
    quoted          part of the explanations with a quote
    LIR, SEP, ETD   see ``path_quality``; of the first path of each explanation

A piece is a history item or a friend. Deleting is the model's own fold-in on what remains, and so is the score that is
compared with: see ``deletion``. DeYoung et al. (ERASER, ACL 2020) call the fall comprehensiveness.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from graphrec.evaluate.deletion import Known, fold_in_scores
from graphrec.evaluate.path_quality import PathQuality, PopularPaths
from graphrec.evaluate.ranking import Scorer, pattern, ranked
from graphrec.explain.check import holds
from graphrec.explain.explainer import Explainer
from graphrec.query.query import Queries
from graphrec.types import Evidence, Explanation, Ints

SIZES = (1, 5)  # pieces deleted: the one that is named first, and all that are shown
DRAWS = 5  # random deletions for each of ours
USERS = 100
K = 10


class Deletion(NamedTuple):
    """Scores of an item with everything, without the shown pieces, without random ones (mean), with the shown ones
    alone, without others (mean; NaN where there are too few), and how many pieces there are in all."""

    full: float
    without: float
    random: float
    only: float
    others: float
    pieces: int


@dataclass
class _Tally:
    """Sums over explanations."""

    steps: list[bool] = field(default_factory=list)
    quotes: list[bool] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    lifts: list[float] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)
    lir: list[float] = field(default_factory=list)
    sep: list[float] = field(default_factory=list)
    etd: list[float] = field(default_factory=list)
    deleted: dict[int, list[Deletion]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "steps": len(self.steps),
            "valid_steps": _mean(self.steps),
            "quotes": len(self.quotes),
            "verbatim_quotes": _mean(self.quotes),
            "named_entity": _mean(self.named),
            "entity_lift": float(np.median(self.lifts)) if self.lifts else None,
            "quoted": _mean(self.quoted),
            "lir": _mean(self.lir),
            "sep": _mean(self.sep),
            "etd": _mean(self.etd),
            "deletion": {},
        }
        for size, rows in self.deleted.items():
            full, less, random, only, _, pieces = np.array(rows, np.float64).reshape(-1, 6).mean(axis=0).tolist()
            drop, random_drop = full - less, full - random
            others = [r for r in rows if not np.isnan(r.others)]
            others_drop = _mean([r.full - r.others for r in others])
            shown_drop = _mean([r.full - r.without for r in others]) or 0.0
            out["deletion"][str(size)] = {
                "explanations": len(rows),
                "pieces": pieces,
                "score": full,
                "drop": drop,
                "random_drop": random_drop,
                "faithfulness": drop / random_drop if random_drop > 0 else None,
                "with_others": len(others),
                "others_drop": others_drop,
                "against_others": shown_drop / others_drop if others_drop and others_drop > 0 else None,
                "sufficiency": only / full if full > 0 else None,
                "better_than_random": float(np.mean([r.without < r.random for r in rows])),
            }
        return out


def explanation_report(
    explainer: Explainer,
    scorer: Scorer,
    user_nums: Ints,
    users: int = USERS,
    k: int = K,
    seed: int = 42,
    progress: bool = False,
) -> dict[str, Any]:
    """The ``explanations`` part of the `evaluate` document.

    Args:
        scorer: what recommends. user_nums: int64 (n,), test users; ``users`` of those with a history are drawn.

    A figure is None where nothing could be measured: LIR without times, a ratio where what it is compared with lowers
    no score. ``popular_paths`` holds the same figures of the bare-popularity-path baseline.
    """
    data = explainer.data
    active = user_nums[np.isin(user_nums, data.interactions.user_nums)]
    drawn = np.sort(np.random.default_rng(seed).choice(active, min(users, len(active)), replace=False))
    baseline = copy.copy(explainer)
    baseline.finder = PopularPaths
    quality = PathQuality(data, explainer.graph)
    tallies = {"own": _Tally(), "popular_paths": _Tally()}
    pairs = 0
    lists, console = _lists(explainer, scorer, drawn, k), Console(stderr=True)
    for user, items in track(lists, "explaining", console=console, transient=True, disable=not progress):
        pairs += len(items)
        for name, source in (("own", explainer), ("popular_paths", baseline)):
            random = np.random.default_rng([seed, user])
            _measure(tallies[name], source, quality, user, items, random)
    found = {name: tally.document() for name, tally in tallies.items()}
    return {"users": len(drawn), "k": k, "pairs": pairs, **found["own"], "popular_paths": found["popular_paths"]}


def _lists(explainer: Explainer, scorer: Scorer, user_nums: Ints, k: int) -> list[tuple[int, list[int]]]:
    """Each user's k best unseen items."""
    out, queries = [], Queries.stored(explainer.ties, user_nums)
    for rows, _, items in ranked(
        lambda places: scorer.scores(queries[places]), len(user_nums), pattern(queries.liked), k
    ):
        out += [(int(u), row[row >= 0].tolist()) for u, row in zip(user_nums[rows], items, strict=True)]
    return out


def _measure(
    tally: _Tally,
    explainer: Explainer,
    quality: PathQuality,
    user: int,
    items: Sequence[int],
    random: np.random.Generator,
) -> None:
    """Add one user's list."""
    first: list[Evidence] = []
    for item in items:
        query = Queries.stored(explainer.ties, np.array([user]))
        explanation = explainer.explain(query, explainer.data.users.ids[user], item, max(SIZES))
        steps, quotes = holds(explanation, explainer.data, explainer.graph)
        tally.steps += steps
        tally.quotes += quotes
        tally.named.append(any(map(named_entity, explanation.evidence)))
        tally.lifts += entity_lifts(explainer, explanation, user, item)
        tally.quoted.append(any(e.source for e in explanation.evidence))
        first += explanation.evidence[:1]
        for size in SIZES:
            row = _deleted(explainer, explanation, user, item, size, random)
            if row:
                tally.deleted.setdefault(size, []).append(row)
    tally.lir += [value for e in first if (value := quality.lir(e)) is not None]
    tally.sep += [value for e in first if (value := quality.sep(e)) is not None]
    if first:
        tally.etd.append(quality.etd(first))


def _deleted(
    explainer: Explainer, explanation: Explanation, user: int, item: int, size: int, random: np.random.Generator
) -> Deletion | None:
    """What deleting up to ``size`` of the shown pieces does; None where none is shown."""
    ties, number = explainer.ties, explainer.data.users.number
    heads = [e.path[0] for e in explanation.evidence if e.kind != "mention"]
    whole = Known(ties.history(user), np.array(list(ties.friends(user)), np.int64))
    pieces = list(dict.fromkeys(step.tail for step in heads))[:size]
    shown = Known(
        explainer.data.items.numbers([p.removeprefix("item:") for p in pieces if p.startswith("item:")]),
        np.array([number(p.removeprefix("user:")) for p in pieces if p.startswith("user:")], np.int64),
    )
    if not len(shown):
        return None
    rest = whole.without(shown)
    draws = _draws(whole, shown, random)
    variants = [whole, rest, shown, *(whole.without(draw) for draw in [*draws, *_draws(rest, shown, random)])]
    scores = fold_in_scores(explainer.profiles, ties, user, item, variants)
    of_whole, of_rest = scores[3 : 3 + DRAWS], scores[3 + DRAWS :]
    others = float(of_rest.mean()) if len(of_rest) else float("nan")
    full, without, only = scores[:3].tolist()
    return Deletion(full, without, float(of_whole.mean()), only, others, len(whole))


def _draws(known: Known, like: Known, random: np.random.Generator) -> list[Known]:
    """Random pieces of what is known, of the kinds and number of others; none where there are too few."""
    if len(known.history) < len(like.history) or len(known.friends) < len(like.friends):
        return []
    return [
        Known(
            random.choice(known.history, len(like.history), replace=False),
            random.choice(known.friends, len(like.friends), replace=False),
        )
        for _ in range(DRAWS)
    ]


def entity_lifts(explainer: Explainer, explanation: Explanation, user: int, item: int) -> list[float]:
    """The lift of each entity that a history item and the item explained share, where there is one to count."""
    ties, number, out = explainer.ties, explainer.graph.entity_num, []
    for evidence in explanation.evidence:
        if not evidence.path[0].tail.startswith("item:") or len(evidence.path) < 3:
            continue
        last, before = evidence.path[-1], evidence.path[-2]
        shared = last.head if last.head in (before.head, before.tail) else last.tail
        if shared.startswith(("item:", "user:")):
            continue
        other = explainer.data.items.number(evidence.path[0].tail.removeprefix("item:"))
        both = np.intersect1d(ties.takers(item), ties.takers(other))
        (lift,) = explainer.lifts.of([number[shared]], both[both != user], (other, item))
        out += [] if lift.plain is None else [lift.plain]
    return out


def named_entity(evidence: Evidence) -> bool:
    """Whether a path leads over something, neither item nor user, that has a name."""
    nodes = {(step.head, step.head_label) for step in evidence.path} | {(s.tail, s.tail_label) for s in evidence.path}
    things = [(node, label) for node, label in nodes if not node.startswith(("item:", "user:"))]
    return any(label != node and any(map(str.isalpha, label)) for node, label in things)


def _mean(values: Sequence[float] | npt.NDArray[np.float64]) -> float | None:
    return float(np.mean(values)) if len(values) else None
