"""The section of RESULTS.md on how time and memory grow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sections_table import table

LEAST = 0.1  # core-seconds of a stage that is shown


def scale(name: str, result: dict[str, Any]) -> list[str]:
    """A row for each stage, a column for each size; the exponent is that of the seconds."""
    runs = sorted(result["runs"].values(), key=lambda run: run["events"])
    took = {stage: max(run["stages"].get(stage, {"s": 0.0})["s"] for run in runs) for stage in runs[-1]["stages"]}
    stages = [stage for stage, seconds in took.items() if seconds >= LEAST]
    rows = [[stage, *(_cell(run["stages"].get(stage)) for run in runs), _exponent(runs, stage)] for stage in stages]
    whole = [
        f"{sum(s['s'] for s in run['stages'].values()):,.0f} / {max(s['mb'] for s in run['stages'].values()):,.0f}"
        for run in runs
    ]
    heads = [f"{run['events']:,} of {run['users']:,} × {run['items']:,}" for run in runs]
    told = "nothing is searched" if name == "choices given" else f"a whole fit with `--preset {name}`"
    return [
        f"## Growth: {name}",
        "",
        f"Generated data, {told}: core-seconds / peak MB of each stage, by events of users × items · "
        f"{result['machine']}. The exponent is the slope of log seconds over log events, first size to last.",
        "",
        *table(["stage", *heads, "exponent"], [*rows, ["in all", *whole, ""]]),
        "",
    ]


def _cell(stage: dict[str, float] | None) -> str:
    return "" if stage is None else f"{stage['s']:,.1f} / {stage['mb']:,.0f}"


def _exponent(runs: list[dict[str, Any]], stage: str) -> str:
    """Blank where a stage takes no time to speak of."""
    first, last = runs[0], runs[-1]
    before, after = (run["stages"].get(stage, {"s": 0.0})["s"] for run in (first, last))
    if min(before, after) < 0.5 or first is last:
        return ""
    return f"{math.log(after / before) / math.log(last['events'] / first['events']):.2f}"


def processes(name: str, result: dict[str, Any]) -> list[str]:
    """A row for each number of processes."""
    rows = []
    for n, run in result["runs"].items():
        shares = ", ".join(f"{each['cpu'] / each['wall']:.2f}" for each in run["ranks"])
        cores = ", ".join(f"{each['cpu']:,.0f}" for each in run["ranks"])
        ndcg = f"{run['ndcg@20']:.4f} ± {run['error']:.4f}"
        rows.append([n, ndcg, f"{max(e['wall'] for e in run['ranks']):,.0f}", cores, shares])
    return [
        f"## Several processes: {name}",
        "",
        f"`torchrun --nproc-per-node N -m graphrec fit` as `{' '.join(result['settings'])}`, {result['machine']}; test "
        f"users {next(iter(result['runs'].values()))['users']:,}, ± one standard error over them. Core-seconds and how "
        "busy it was (of one core, which other work on the machine shares) are of each process, from the fit's start "
        "to its end.",
        "",
        *table(["processes", "NDCG@20", "seconds", "core-seconds of each", "busy share of each"], rows),
        "",
    ]


def als(name: str, result: dict[str, Any]) -> list[str]:
    """A row for spectral and for each round of implicit's that is told."""
    rounds = list(enumerate(result["rounds"], 1))
    best = max(rounds, key=lambda one: one[1][1])[0]
    rows = [["spectral", f"{result['seconds']:,.1f}", f"{result['ndcg']:.4f}"]]
    told = [one for one in rounds if one[0] in (1, 2, 4, 8, best, len(rounds))]
    rows += [[f"implicit, {number} rounds", f"{spent:,.1f}", f"{ndcg:.4f}"] for number, (spent, ndcg) in told]
    grid = ", ".join(f"α {alpha:g} λ {damping:g} {ndcg:.4f}" for alpha, damping, ndcg in result["grid"])
    until = "a round as accurate" if any(n >= result["ndcg"] for _, n in result["rounds"]) else "its best round"
    return [
        f"## Beside implicit: {name}",
        "",
        f"Generated data, {result['events']:,} events of {result['users']:,} users and {result['items']:,} items, "
        f"{result['dim']} dimensions, people's last events held out · {result['machine']}. Core-seconds of learning "
        f"alone; implicit's α {result['alpha']:g} and λ {result['regularisation']:g} are the best of a grid on a tenth "
        f"of the people and items ({grid}). spectral's time by implicit's until {until}: **{result['ratio']:.2f}**.",
        "",
        *table(["model", "core-s", "NDCG@20"], rows),
        "",
    ]


def lenskit(name: str, result: dict[str, Any]) -> list[str]:
    """A row for each stage."""
    rows = [
        [stage, f"{seconds:,.2f}", f"{result['lenskit'][stage]:,.2f}", f"{result['ratio'][stage]:.2f}"]
        for stage, seconds in result["graphrec"].items()
    ]
    sums = [sum(result[who].values()) for who in ("graphrec", "lenskit")]
    rows.append(["in all", *(f"{seconds:,.2f}" for seconds in sums), f"{sums[0] / sums[1]:.2f}"])
    return [
        f"## Beside LensKit: {name}",
        "",
        f"Generated data, lists of twenty for {result['people']:,} people from twenty neighbours of each item, "
        f"core-seconds · {result['machine']}. Reading: LensKit's is pandas and its own table, graphrec's also checks "
        f"each value and counts what is set aside. Of the lists {result['alike']:.0%} are the same items.",
        "",
        *table(["stage", "graphrec", "LensKit", "ratio"], rows),
        "",
    ]


SHAPED = (  # on which it was decided what a stage grows with
    "lastfm_social/given, fast",
    "gowalla/given, fast",
    "generated 400000:20000:8000, fast",
    "magazine_subscriptions/temporal, fast",
    "ml1m_kg/given, fast",
)


def plan(name: str, result: dict[str, Any]) -> list[str]:
    """A row for each run."""
    rows: list[list[str]] = []
    off: dict[str, list[float]] = {"core_s": [], "mb": []}  # of the others than SHAPED
    for run, found in result["runs"].items():
        told, took = found["foretold"], found["took"]
        ratios = {what: told[what] / took[what] for what in off}
        for what, ratio in ratios.items():
            off[what] += [] if run in SHAPED else [ratio]
        row = [run]
        for what in off:
            row += [f"{told[what]:,.0f}", f"{took[what]:,.0f}", f"{ratios[what]:.2f}"]
        rows.append([*row, f"{told['spent']:,.0f}", took["from"], "" if run in SHAPED else "yes"])
    n = len(off["mb"])
    near = sum(0.5 <= ratio <= 2 for ratio in off["core_s"]), sum(0.7 <= ratio <= 1.3 for ratio in off["mb"])
    return [
        "## What a fit will cost, foretold",
        "",
        f"`graphrec plan` beside what the fit took, {result['machine']}; a fit that was not run beside it is one that "
        "presets.py or scale.py kept, of an earlier and quieter day. The law had its form from the runs that are "
        "not unseen, its slopes are each plan's pilots' own; of a fit that ran here, texts were in no cache unless it "
        "says so. Every row is of the law of before judging was foretold apart and decompositions by the way they go; "
        "no unseen run was measured with the law of now. Of "
        f"{n} unseen runs {near[0]} are within a factor of 2 in core-seconds and {near[1]} within 30 % in memory.",
        "",
        *table(
            [
                *("run", "core-s foretold", "took", "ratio", "MB foretold", "took", "ratio", "pilots, core-s", "fit"),
                "unseen",
            ],
            rows,
        ),
        "",
    ]


SCALE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "scale": scale,
    "processes": processes,
    "als": als,
    "lenskit": lenskit,
    "plan": plan,
}
