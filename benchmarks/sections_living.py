"""The sections of RESULTS.md on cold start, and on models that take in events and forget users."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sections_table import table


def cold(name: str, result: dict[str, Any]) -> list[str]:
    """Items that nobody took, and people of whom little is known."""
    metrics = ("ndcg@10", "recall@10", "ndcg@20", "recall@20")
    rows = [
        [
            r["model"],
            *(f"{r[m]:.4f}" for m in metrics),
            "" if r["p"] is None else f"{r['p']:.2g}",
            f"{r['seconds']:.0f}",
        ]
        for r in result["rows"]
    ]
    events = list(dict.fromkeys(r["known"] for r in result["people"]))
    people = []
    for model in dict.fromkeys(r["model"] for r in result["people"]):
        of = {r["known"]: r for r in result["people"] if r["model"] == model}
        people.append([model, *(f"{of[n]['ndcg@10']:.4f}" for n in events), f"{result['seconds'][model]:.0f}"])
    asked = {r["known"]: r["users"] for r in result["people"]}
    return [
        f"## Cold start: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']} · {result['items']:,} of {result['catalogue']:,} items "
        "without any event, review or edge of a person in training, to be found among all by "
        f"{result['users']:,} users; p: graphrec against the row, paired t-test on NDCG@10. Looks at the "
        f"test part: {result['looks']}. Preset fast; settings: {', '.join(result['settings']) or 'none'}.",
        "",
        *table(["cold items", *metrics, "p", "core-s"], rows),
        "",
        f"Content: `{json.dumps(result['chosen']['graphrec'].get('content'))}`, weights "
        f"`{json.dumps(result['chosen']['graphrec']['weights'])}`",
        "",
        f"People held out whole ({result['people_users']:,}), NDCG@10 of what came after their first events; those "
        "with too few are not asked.",
        "",
        *table(["model", *(f"{n} known ({asked[n]:,} users)" for n in events), "s"], people),
        "",
    ]


def living(name: str, result: dict[str, Any]) -> list[str]:
    """What an event costs, what is lost without a refit, and the steps of a prequential evaluation."""
    metrics = ("ndcg@10", "recall@10", "ndcg@20", "recall@20")
    rows = [[r["model"], f"{r['users']:,}", *(f"{r[m]:.4f}" for m in metrics)] for r in result["rows"]]
    of = {r["model"]: r["ndcg@10"] for r in result["rows"]}
    seconds, took = result["seconds"], result["latency"]
    exact = ", ".join(f"{block} {off:.1g}" for block, off in result["exact"].items() if off is not None)
    through = result["prequential"]
    goal = next(iter(through["metrics"]))
    steps = [
        [str(n + 1), f"{s['events']:,}", f"{s['users']:,}"]
        + [f"{s[m][goal]:.4f}" if s["users"] else "" for m in ("updated", "frozen", "popular")]
        + [f"{s['new_items']:.0%}", s["due"]]
        for n, s in enumerate(through["steps"])
    ]
    forgot = through["forgetting"]
    return [
        f"## Profiles that live: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']} · settings: {', '.join(result['settings'])}. "
        f"{result['folded']:,} events folded into a model of {result['kept']:,}. Looks at the test part: "
        f"{result['looks']}.",
        "",
        *table(["model", "users", *metrics], rows),
        "",
        f"NDCG@10 of the updated model is {of['updated'] / of['refitted']:.1%} of the refit's, in "
        f"{seconds['update']:.1f} core-s against {seconds['refit']:.1f} with choices taken over and "
        f"{seconds['refit, chosen anew']:.1f} with choosing ({of['updated'] / of['refitted, chosen anew']:.1%} of its "
        f"NDCG@10). A further update with 100 events: "
        f"{seconds['update, 100 events more']:.2f} core-s. Largest difference of blocks that are sums from a fit on "
        f"the same log: {exact}.",
        "",
        f"A network alone that goes on from where it ended: {of['network, from where it ended']:.4f} in "
        f"{seconds['network, from where it ended']:.1f} core-s; from nothing: {of['network, from nothing']:.4f} in "
        f"{seconds['network, from nothing']:.1f}.",
        "",
        f"One event into a served profile: p50 {took['event p50']:.2f} core-ms, p99 {took['event p99']:.2f}; ten items "
        f"after it: p50 {took['ten items p50']:.2f}, p99 {took['ten items p99']:.2f}.",
        "",
        f"Test, then learn: {goal} {through['metrics'][goal]:.4f} updated, {through['frozen'][goal]:.4f} frozen ("
        f"paired t-test, p = {through['p_value']:.2g}), {through['popular'][goal]:.4f} recent popularity.",
        "",
        f"The first step's questions, asked again at the end: {forgot['again']:.4f}, then {forgot['then']:.4f}.",
        "",
        *table(["step", "events", "users", "updated", "frozen", "popular", "new items", "a refit is due"], steps),
        "",
    ]


def forget(name: str, result: dict[str, Any]) -> list[str]:
    """What is left without some users beside a model that never knew them, and what it costs."""
    rows = [
        [
            r["way"],
            f"{r['users']}",
            r["block"],
            r["how"],
            f"{r['seconds']:.2f}",
            f"{r['anew']:.2f}",
            "" if r["block"] == "all" else f"{r['off']:.1g}",
            "" if r["block"] == "all" else f"{r['same']:.3f}",
        ]
        for r in result["rows"]
    ]
    whole = [r for r in result["rows"] if r["block"] == "all"]
    told = ", ".join(f"{r['way']} {r['users']}: 1/{result['chosen_anew'] / r['seconds']:.0f}" for r in whole)
    return [
        f"## Users forgotten: {name}",
        "",
        f"data `{result['data'][:12]}` · {result['machine']} · {result['counts']['users']:,} users, "
        f"{result['counts']['events']:,} events. Users taken out one call after another; beside it everything learned "
        "anew from the others' data with the same choices and norms. Core-seconds; the largest difference of any entry "
        f"of users and items; the share of the ten best items that are the same. Looks at the test part: "
        f"{result['looks']}. Preset fast; settings: {', '.join(result['settings']) or 'none'}.",
        "",
        *table(["way", "users", "block", "how", "s", "anew, s", "largest difference", "same top 10"], rows),
        "",
        f"Retraining with choosing: {result['chosen_anew']:.0f} core-s. Of it a call takes {told}.",
        "",
    ]


LIVING: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"cold": cold, "living": living, "forget": forget}
