"""What is known of somebody, and what a question adds to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from graphrec.query.query import NONE, Queries, Query
from graphrec.query.ties import Ties
from graphrec.types import Ints


def further(ties: Ties, query: Query, history: Ints = NONE, **known: Any) -> Query:
    """A query with further items that are liked, as ``query_of`` has them, and other fields."""
    pairs = Queries.of(ties, [query]).liked.indices
    liked = np.asarray(list(dict.fromkeys(np.asarray(history).tolist())), np.int64)
    liked = liked[~np.isin(liked, pairs)]
    if not len(liked):
        return replace(query, **known) if known else query
    kept = ~np.isin(query.items, liked)
    now = ties.latest if known.get("now") is None else int(known["now"])
    outright = np.zeros(len(query.items), bool) if query.outright is None else query.outright
    usual = np.full(len(liked), ties.data.events.norms.liked, np.float32)
    if query.times is not None:
        now = max(now, int(query.times.max(initial=now))) if known.get("now") is None else now
        known["times"] = np.concatenate([query.times[kept], np.full(len(liked), now)])
    return replace(
        query,
        items=np.concatenate([query.items[kept], liked]),
        strengths=np.concatenate([query.strengths[kept], usual]),
        outright=np.concatenate([outright[kept], np.ones(len(liked), bool)]),
        **known,
    )
