"""The sections of RESULTS.md on cold start, and on models that take in events."""

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
        f"test part: {result['looks']}.",
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


LIVING: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {"cold": cold}
