"""All that is known of one person, for that person: what a model learned from, what came in, what was answered."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from graphrec.data.dataset import Dataset
from graphrec.serve.service import Service
from graphrec.serve.version import Version


def exported(service: Service, version: Version, user_id: str) -> dict[str, Any]:
    """``history``: what counts in answers now, of items that the model knows. ``learned``: what its data holds of them.
    ``stored``: what the store holds, ``events`` on items that no model knows too, ``answers``, and ``named_in``,
    ids of answers to others that name them, which are of the others. ``remains``: what holds more of them than is told
    here, since they asked to be forgotten. Raises what the store raises."""
    gone = service.state.is_gone(user_id)
    service.recorder.flush()
    return {
        "history": _history(version, user_id, gone),
        "learned": None if gone else learned(version.model.data, user_id),
        "stored": dict(service.state.journal.known(user_id)),
        "remains": remains(service, user_id) if gone else [],
    }


def remains(service: Service, user_id: str) -> list[str]:
    """What still holds something of somebody who is forgotten, a line for each model."""
    return [
        f"the model {v.artifact} {v.name} was learned with what they did; they are in no answer of it. `graphrec"
        " forget` takes them out of it, or a model that is learned without them takes over"
        for v in service.state.versions
        if user_id in v.model.data.users
    ]


def learned(data: Dataset, user_id: str) -> dict[str, Any] | None:
    """What a model's data holds of one person: events as they came, attributes, text, reviews, friends; None where it
    does not know them."""
    number = int(data.users.numbers([user_id], missing="-1")[0])
    if number < 0:
        return None
    log, ids, people = data.events, data.items.ids, data.users.ids
    events = []
    for n in range(*np.searchsorted(log.user_nums, [number, number + 1]).tolist()):
        event: dict[str, Any] = {"item_id": ids[log.item_nums[n]], "type": log.kind_table[log.kinds[n]].name}
        if not math.isnan(log.values[n]):
            event["value"] = float(log.values[n])
        if log.timestamps is not None:
            event["time"] = int(log.timestamps[n])
        if log.places is not None and not np.isnan(log.places[n]).any():
            event |= {"place": [float(part) for part in log.places[n]]}
        events.append(event)
    attributes: dict[str, list[str]] = {}
    own = data.user_attributes[(data.user_attributes["user_num"] == number).to_numpy()]
    for key, value in zip(own["key"].tolist(), own["value"].tolist(), strict=True):
        attributes.setdefault(str(key), []).append(str(value))
    wrote = data.reviews[(data.reviews["user_num"] == number).to_numpy()]
    reviews = [
        {"review_id": str(r.review_id), "item_id": ids[int(r.item_num)], "summary": str(r.summary), "text": str(r.text)}
        for r in cast(Iterable[Any], wrote.itertuples())
    ]
    hears, heard = data.social_edge_index
    return {
        "events": events,
        "attributes": attributes,
        "text": str(data.user_text[number]),
        "reviews": reviews,
        "hears": [people[n] for n in heard[hears == number].tolist()],
        "heard_by": [people[n] for n in hears[heard == number].tolist()],
    }


def _history(version: Version, user_id: str, gone: bool) -> list[dict[str, Any]]:
    query = version.live.query(user_id, strange=gone)
    ids = version.model.data.items.ids
    times = np.full(len(query.items), np.nan) if query.times is None else query.times
    return [
        {"item_id": ids[n], "strength": round(float(s), 6), **({} if math.isnan(t) else {"time": int(t)})}
        for n, s, t in zip(query.items.tolist(), query.strengths.tolist(), times.tolist(), strict=True)
    ]
