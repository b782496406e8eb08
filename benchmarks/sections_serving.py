"""The section of RESULTS.md on serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sections_table import table

WHAT = {
    "nothing": "an endpoint that does nothing, FastAPI alone",
    "live": "GET /live",
    "recommend": "GET /recommend, a user as the model knows them",
    "basket": "GET /recommend, a basket of three items",
    "heard": "GET /recommend, users after many events",
    "explain": "GET /explain, a random user and item",
}

OVER = {"basket": "baskets of three items", "long": "baskets, a hundred items re-ranked for diversity"}


def serving(name: str, result: dict[str, Any]) -> list[str]:
    """Latency against nothing, throughput, overload, and memory."""
    ms, nothing = result["ms"], result["ms"]["nothing"]
    rows = [
        [what, f"{ms[key]['p50']:.2f}", f"{ms[key]['p99']:.2f}", *(f"{ms[key][q] / nothing[q]:.1f}" for q in nothing)]
        for key, what in WHAT.items()
    ]
    mib, persec = result["mib"], result["per_second"]
    return [
        f"## Serving: {name}",
        "",
        f"{result['users']:,} users, {result['items']:,} items · {result['machine']}, shared with other work that ran "
        f"meanwhile (load {result['load']}) · one worker; {result['requests']:,} "
        f"of each, over one connection each, in turn; of explanations a tenth, of users after many events a third. "
        f"{rounds(result)}",
        "",
        *table(["milliseconds", "p50", "p99", "p50 / nothing", "p99 / nothing"], rows),
        "",
        f"Eight connections: {persec['recommend']:,} lists a second of users, {persec['basket']:,} of baskets, "
        f"{persec['nothing']:,} times nothing; {result['per_core_second']:,} lists a second of the service's own CPU "
        f"time. {' '.join(overloaded(result['overload']))} Memory after "
        f"each tenth of {result['many']:,} questions and {result['many']:,} events, MiB: "
        f"{', '.join(f'{each:.0f}' for each in mib)} ({result['memory_grows']:+.1%} since the second).",
        "",
    ]


def rounds(result: dict[str, Any]) -> str:
    """What several rounds gave of the ratio of p99."""
    found = result.get("rounds")
    return (
        f"The median of {len(found)} rounds; p99 of recommend by nothing's in each: {', '.join(map(str, found))}."
        if found
        else ""
    )


def overloaded(over: dict[str, Any]) -> Iterator[str]:
    """What became of more than can be answered: as many as 48 connections ask, or four times as much, by question."""
    for name, found in ({"": over} if "accepted" in over else over).items():
        refused, after = found["refused"] or {"p50": 0.0, "p99": 0.0}, found["after"]
        whom = f"{found['offered']:.1f} times what it can answer of {OVER[name]}" if name else "by 48 connections"
        first, last = (after[0], after[-1]) if isinstance(after, list) else (after, after)
        later = "" if first is last else f", {last['p50']:.2f} ms ten seconds later"
        yield (
            f"Asked {whom} for {found['seconds']:.0f} s with a queue of 8: {found['n_accepted']:,} answered (p99 "
            f"{found['accepted']['p99']:.0f} ms), {found['n_refused']:,} refused (p50 {refused['p50']:.0f} ms, p99 "
            f"{refused['p99']:.0f} ms); one at a time p50 {found['before']['p50']:.2f} ms before and "
            f"{first['p50']:.2f} ms right after{later}."
        )


def offpolicy(name: str, result: dict[str, Any]) -> list[str]:
    """How often intervals held the truth."""
    rows = [
        [how, f"{r['bias']:+.4f}", f"{r['sd']:.4f}", f"{r['held']:.1%}", f"{r['plain']:.1%}"]
        for how, r in result["rows"].items()
    ]
    return [
        f"## Off-policy estimates: {name}",
        "",
        f"{result['logs']:,} generated logs, each worth {result['worth']:.0f} places; the truth is "
        f"{result['truth']:.4f}. How many 95 % intervals hold it, with one more place of the largest weight, and not.",
        "",
        *table(["estimator", "bias", "deviation", "held", "held without"], rows),
        "",
    ]


def million(name: str, result: dict[str, Any]) -> list[str]:
    """Lists or a graph beside the whole product."""
    rows = [[way, *(f"{ms:.2f}" for ms in result["ms"][way])] for way in result["ms"]]
    return [
        f"## A large catalogue: {name}",
        "",
        f"Recall@10 {result['recall@10']:.3f}, at {result['times']:.0f} times the throughput of the exact "
        f"index; built in {result['build_seconds']:,.0f} s of one core; {result['peak_rss_mb']:,.0f} MB at most. "
        f"{result['users']:,} users, one at a time, both ways in turn, CPU time of one thread.",
        "",
        *table(["milliseconds", "p50", "p99"], rows),
        "",
    ]


def card(name: str, result: dict[str, Any]) -> list[str]:
    """What training on a graphics card is of what the card can do."""
    spread = result["propagation"]
    rows = [
        ["each operand once", f"{result['least_bytes'] / 2**30:.1f}", result["least_bytes"] / spread],
        ["a row read for each entry", f"{result['row_each'] / 2**30:.1f}", result["row_each"] / spread],
    ]
    told = [[way, gb, f"{speed / 1e9:,.0f}", f"{speed / result['copy']:.2f}"] for way, gb, speed in rows]
    return [
        f"## The network on a card: {name}",
        "",
        f"{result['card']} · {result['machine']} · {result['users']:,} users, {result['items']:,} items, width "
        f"{result['dim']}. A propagation over all edges, there and back, takes {1000 * spread:.1f} ms, a step of "
        f"training {1000 * result['step']:.0f} ms, an epoch of {result['steps']} steps **{result['epoch']:.1f} s**, "
        f"{result['peak_gb']:.1f} GB of the card's memory. A copy moves {result['copy'] / 1e9:,.0f} GB/s.",
        "",
        *table(["the propagation, bytes counted as", "GB", "GB/s", "of the copy's"], told),
        "",
    ]


SERVING: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "serving": serving,
    "million": million,
    "card": card,
    "offpolicy": offpolicy,
}
