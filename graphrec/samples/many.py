"""Events of any size, with topics: who likes which is planted, and what is popular."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

TOPICS, TASTES, LIKED = 400, 3, 0.85  # topics of a catalogue, of a person, and the share of events that are of these


def generated(n_events: int, n_users: int, n_items: int, seed: int = 0) -> pa.Table:
    """A table of user_id, item_id, timestamp, with planted topics."""
    rng = np.random.default_rng(seed)
    active = rng.lognormal(0.0, 0.8, n_users)
    counts = rng.multinomial(n_events, active / active.sum())
    users = np.repeat(np.arange(n_users, dtype=np.int32), counts)
    topics = min(TOPICS, max(n_items // 25, 1))
    topic = np.sort(rng.integers(0, topics, n_items))  # of each item, which stand in order of their topics
    first = np.searchsorted(topic, np.arange(topics + 1))
    tastes = rng.integers(0, topics, (n_users, TASTES), dtype=np.int32)
    wanted = tastes[users, rng.integers(0, TASTES, n_events)]
    wanted = np.where(rng.random(n_events) < LIKED, wanted, rng.integers(0, topics, n_events))
    among = first[wanted + 1] - first[wanted]
    place = (among * rng.random(n_events) ** 3).astype(np.int32)  # the first of a topic are taken most
    items = np.minimum(first[wanted] + place, n_items - 1)
    times = rng.integers(1_500_000_000, 1_600_000_000, n_events)
    order = rng.permutation(n_events)
    named = {"user_id": users[order], "item_id": items[order], "timestamp": times[order]}
    return pa.table({name: pa.array(value) for name, value in named.items()})
