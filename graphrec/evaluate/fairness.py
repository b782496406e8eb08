"""Whom a system serves worse, and what it shows too seldom: measures over groups, with intervals over people.

======================  ==============================================================================================
of people
gap                     best less worst group's mean; of recall it is the equality of opportunity (Hardt et al.,
                        NeurIPS 2016); with p of Welch's F test that all groups' means are one, and an interval, which
                        leans upwards where groups are many or small: chance alone sets them apart
of items, at k
exposure                share of the places, rank r counting 1 / log2(r + 1) (Singh & Joachims, KDD 2018)
shown                   P(R@k | g): places over the items that could be shown, of one group, over all people
found                   P(R@k | g, y = 1): hits over the relevant items of the group
rsp, reo                standard deviation over groups of ``shown``, of ``found``, over their mean (Zhu, Wang &
                        Caverlee, SIGIR 2020)
merit                   share of what was to be found, to which exposure should be proportional
miscalibration          Jensen-Shannon divergence, in bits, of a person's list from what they took, over groups; of
                        ``popularity`` it is the user popularity deviation (Abdollahpouri et al., UMAP 2021)
======================  ==============================================================================================

An item in several groups counts in each. All intervals are percentiles of a bootstrap over people, at 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import scipy.stats

from graphrec.data.dataset import Dataset
from graphrec.errors import ConfigError
from graphrec.evaluate.groups import FEWEST, Grouping, grouping
from graphrec.evaluate.ranking import Ranked, Report, hits_of
from graphrec.evaluate.significance import of_people
from graphrec.types import Ints

Doubles = npt.NDArray[np.float64]
RESAMPLES = 500
AT_ONCE = 20  # resamples, which bounds the memory
ENDS = (0.025, 0.975)


def of_users(report: Report, groups: Grouping, people: Ints, ks: Sequence[int], seed: int = 42) -> dict[str, Any]:
    """NDCG and recall of each group of people, and how far they are apart.

    Args:
        people: whose each row of the report is, user numbers int64 (n,).

    Returns ``{"groups": [{"group", "users", "metrics", "interval"}, …], "gaps": {metric: {"gap", "interval", "worst",
    "best", "p_value"}}}``; only groups with anybody in them. Of one person there is no interval, and groups of fewer
    than ``FEWEST`` people are in no gap where others can be compared (``_few``).
    """
    from fairlearn.metrics import MetricFrame

    place = groups.label_of(people)  # (n,)
    names = [f"{what}@{k}" for what in ("ndcg", "recall") for k in ks]
    label = np.array(groups.labels, object)[place]

    def mean(name: str) -> Any:
        return lambda _, rows: float(np.mean(report.per_user[name][rows], dtype=np.float64))

    rows = np.arange(len(place))
    frame = MetricFrame(metrics={n: mean(n) for n in names}, y_true=rows, y_pred=rows, sensitive_features=label)
    member = np.eye(len(groups.labels))[place]  # (n, G)
    there = [g for g, name in enumerate(groups.labels) if name in frame.by_group.index]
    counts = _sizes(place, people)
    sums = _drawn({"": member} | {name: member * report.per_user[name][:, None] for name in names}, seed, people)
    sizes = np.where(sums[""] > 0, sums[""], np.nan)  # (R, G)
    drawn = {name: (sums[name] / sizes)[:, there] for name in names}  # (R, G')
    out = []
    for at, g in enumerate(there):
        group = groups.labels[g]
        out.append(
            {
                "group": group,
                "users": counts[g],
                "metrics": {n: float(frame.by_group.loc[group, n]) for n in names},
                "interval": {n: _ends(drawn[n][:, at]) if counts[g] > 1 else None for n in names},
            }
        )
    gaps, few = {}, _few(counts)
    compared = [at for at, g in enumerate(there) if g not in few]
    for name in names:
        means = frame.by_group[name].loc[[groups.labels[there[at]] for at in compared]]
        parts = [
            of_people(report.per_user[name][mine], people[mine]) / of_people(np.ones(mine.sum()), people[mine])
            for mine in (place == there[at] for at in compared)
        ]
        apart = drawn[name][:, compared]
        gaps[name] = {
            "gap": float(means.max() - means.min()),
            "interval": _ends(np.nanmax(apart, axis=1) - np.nanmin(apart, axis=1)),
            "worst": str(means.idxmin()),
            "best": str(means.idxmax()),
            "p_value": alike(parts),
        }
    return {"groups": out, "gaps": gaps}


def _sizes(place: Ints, people: Ints) -> dict[int, int]:
    """How many people are in each group that has any; ``place``: the group of each row."""
    return {int(g): len(np.unique(people[place == g])) for g in np.unique(place)}


def _few(sizes: dict[int, int]) -> list[int]:
    """Groups of too few people to be compared, where two others are large enough: what one person got is no gap."""
    few = [g for g, n in sizes.items() if n < FEWEST]
    return few if len(sizes) - len(few) > 1 else []


def of_items(ranked: Ranked, groups: Grouping, k: int, seed: int = 42, people: Ints | None = None) -> dict[str, Any]:
    """What lists of k show of each group of items, and how far that is from even, from merit and from people's taste.
    ``people``: as in ``of_users``; by default one's each.

    Returns ``{"groups": [{"group", "items", "taken", "merit", "exposure", "shown", "found", "interval"}, …], "rsp",
    "reo", "exposure_gap", "miscalibration", "intervals"}``; ``found`` is None where nothing of a group was to be found.
    """
    member = groups.member  # (I, G)
    sums = _sums(ranked, member, k)  # name → (n, G)
    off = miscalibration(sums["taken"], sums["places"])  # (n,)
    there = ~np.isnan(off)
    sums["off"], sums["there"] = np.where(there, off, 0.0)[:, None], there[:, None].astype(np.float64)
    whole = _rates({name: values.sum(axis=0, keepdims=True) for name, values in sums.items()})
    drawn = _rates(_drawn(sums, seed, people))
    rows = []
    for g, group in enumerate(groups.labels):
        shares = {name: float(whole[name][0, g]) for name in ("taken", "merit", "exposure", "shown")}
        found = float(whole["found"][0, g])
        rows.append(
            {
                "group": group,
                "items": int(member[:, g].sum()),
                **shares,
                "found": None if np.isnan(found) else found,
                "interval": {name: _ends(drawn[name][:, g]) for name in ("exposure", "shown", "found")},
            }
        )
    measures = ("rsp", "reo", "exposure_gap", "miscalibration")
    return {
        "groups": rows,
        **{name: _number(_measure(name, whole)[0]) for name in measures},
        "intervals": {name: _ends(_measure(name, drawn)) for name in measures},
    }


def miscalibration(taken: Doubles, shown: Doubles) -> Doubles:
    """Jensen-Shannon divergence in bits of the rows of two tables of counts (n, G), float64 (n,): 0 alike, 1 apart; NaN
    where either row is empty (Lin, IEEE Trans. Inf. Theory 37, 1991)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = (rows / rows.sum(axis=1, keepdims=True) for rows in (taken, shown))
        middle = (p + q) / 2
        parts = [np.where(side > 0, side * np.log2(side / middle), 0.0).sum(axis=1) for side in (p, q)]
    out: Doubles = np.where((taken.sum(axis=1) > 0) & (shown.sum(axis=1) > 0), sum(parts) / 2, np.nan)
    return np.maximum(out, 0.0)


def _sums(ranked: Ranked, member: sp.csr_matrix, k: int) -> dict[str, Doubles]:
    """Of each person and group: places, their discounted sum, hits, what was relevant, taken, and could be shown."""
    lists = ranked.lists[:, :k]
    n, size = ranked.relevant.shape
    row, rank = np.nonzero(lists >= 0)
    item = lists[row, rank]
    hit = hits_of(lists.astype(np.int64), ranked.relevant)[row, rank]

    def table(values: npt.NDArray[Any]) -> Doubles:
        return np.asarray((sp.csr_matrix((values.astype(np.float64), (row, item)), (n, size)) @ member).todense())

    taken = np.asarray((ranked.taken.astype(np.float64) @ member).todense())
    of_group = np.asarray(member.sum(axis=0), np.float64)  # (1, G)
    open_ = {"exclude": of_group - taken, "allow": np.repeat(of_group, n, axis=0), "only": taken}[ranked.task.seen]
    return {
        "places": table(np.ones(len(row))),
        "exposed": table(1 / np.log2(rank + 2.0)),
        "hits": table(hit),
        "relevant": np.asarray((ranked.relevant.astype(np.float64) @ member).todense()),
        "taken": taken,
        "open": np.asarray(open_),
    }


def _rates(sums: dict[str, Doubles]) -> dict[str, Doubles]:
    """Shares and probabilities (R, G) from sums over people (R, G)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "taken": sums["taken"] / sums["taken"].sum(axis=1, keepdims=True),
            "merit": sums["relevant"] / sums["relevant"].sum(axis=1, keepdims=True),
            "exposure": sums["exposed"] / sums["exposed"].sum(axis=1, keepdims=True),
            "shown": sums["places"] / np.where(sums["open"] > 0, sums["open"], np.nan),
            "found": sums["hits"] / sums["relevant"],
            "miscalibration": (sums["off"] / sums["there"])[:, 0],
        }


def _measure(name: str, rates: dict[str, Doubles]) -> Doubles:
    """A measure over groups, float64 (R,)."""
    if name == "miscalibration":
        return rates[name]
    if name == "exposure_gap":
        apart: Doubles = np.abs(rates["exposure"] - rates["merit"]).sum(axis=1) / 2
        return apart
    of = rates["shown" if name == "rsp" else "found"]
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Doubles = np.nanstd(of, axis=1) / np.nanmean(of, axis=1)
    return out


def _drawn(tables: dict[str, Doubles], seed: int, people: Ints | None = None) -> dict[str, Doubles]:
    """Sums over people of tables (n, C), float64 (R, C), in each of R resamples of the people, of whom each has a
    row, or as many as ``people``, int64 (n,), says."""
    if people is not None and len(who := np.unique(people)) < len(people):
        place = np.searchsorted(who, people)
        once = sp.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))))
        tables = {name: np.asarray(once @ table) for name, table in tables.items()}
    n, random = len(next(iter(tables.values()))), np.random.default_rng(seed)
    parts: dict[str, list[Doubles]] = {name: [] for name in tables}
    for _ in range(0, RESAMPLES, AT_ONCE):
        often = random.multinomial(n, np.full(n, 1 / n), AT_ONCE).astype(np.float64)  # (AT_ONCE, n) each is drawn
        for name, table in tables.items():
            parts[name].append(often @ table)
    return {name: np.concatenate(found) for name, found in parts.items()}


def _ends(drawn: Doubles) -> list[float] | None:
    known = drawn[np.isfinite(drawn)]
    return [float(x) for x in np.quantile(known, ENDS)] if len(known) else None


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def alike(parts: Sequence[Doubles]) -> float:
    """p that all groups have one mean: Welch's F test (Biometrika 38, 1951), with unequal variances; where a group has
    none, as one that is served nothing, Kruskal and Wallis's test of ranks (JASA 47, 1952). 1 where it cannot be told.
    """
    parts = [part for part in parts if len(part) > 1]
    if len(parts) < 2 or np.ptp(np.concatenate(parts)) == 0:
        return 1.0
    if any(np.ptp(part) == 0 for part in parts):
        return float(scipy.stats.kruskal(*parts).pvalue)
    return float(scipy.stats.f_oneway(*parts, equal_var=False).pvalue)


def told_apart(
    names: Sequence[str], people: Ints, known: Dataset, told: Dataset | None = None
) -> tuple[list[Grouping], list[str]]:
    """The groupings of these names, for people int64 (n,) who are measured, and what has to be said of them; ``known``,
    ``told``: as in ``grouping``."""
    apart, lines = list[Grouping](), list[str]()
    for name in names:
        try:
            apart.append(found := grouping(name, known, told, np.unique(people)))
            sizes = _sizes(found.label_of(people), people) if found.of == "users" else {}
            if few := [f"{found.labels[g]!r} ({sizes[g]})" for g in _few(sizes)]:
                lines.append(f"{found.name}: {', '.join(few)}: fewer than {FEWEST} people, so it is in no gap")
        except ConfigError as error:  # told by those who were tested alone, when everything else is measured
            lines.append(str(error))
    return apart, [*lines, *(one.put for one in apart if one.put)]


def by_group(
    report: Report, apart: Sequence[Grouping], people: Ints, ks: Sequence[int], seed: int = 42
) -> dict[str, Any]:
    """Every grouping's measures, by name: those of people with ``of`` "users", those of items, at the largest k, with
    ``of`` "items"."""
    out: dict[str, Any] = {}
    for groups in apart:
        if groups.of == "users":
            out[f"users.{groups.name}"] = {"of": "users", **of_users(report, groups, people, ks, seed)}
        elif report.ranked is not None:
            found = of_items(report.ranked, groups, max(ks), seed, people)
            out[f"items.{groups.name}"] = {"of": "items", "k": max(ks), **found}
    return out
