"""What a store heard, as data to learn from: for `graphrec refit --store`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphrec.errors import DataError

if TYPE_CHECKING:
    from graphrec.data.dataset import Dataset
    from graphrec.store import Store, StoredEvent

AT_ONCE = 10_000
SAME = "another one has the same person, item, kind, value and second, and they are one"
GIVE = "give SOURCE too: graphrec refit MODEL SOURCE --store URL"


def check_whole(counts: Any, held: Any, artifact: Any) -> None:
    """Raises DataError for a model that was learned from what its data does not hold: reviews, external triples."""
    what_ = ("reviews", "external triples")
    if lost := [f"{counts[what]:,} {what}" for what in what_ if counts.get(what, 0) > held.get(what, 0)]:
        raise DataError(f"{artifact}: was learned from {' and '.join(lost)} too, which are not in it; {GIVE}")


def joined(data: Dataset, store: Store, since: int) -> tuple[Dataset, Counter[str]]:
    """The data with the events above ``since`` and all changes of items; why events were left out → how many.

    Kinds that the data does not have and whose names say what they are (like, purchase, dislike) are heard as a service
    hears them. What is left out: events of any other kind, off its scale, or in the future, and those that are equal to
    another one. Hidden items stay in the data: they are hidden where answers are given.
    """
    from graphrec.model.told import knowing
    from graphrec.model.update import with_new

    data = replace(data, events=knowing(data.events, sorted(store.kinds(since))))
    rows, left_out = [], Counter[str]()
    while events := store.since(since, AT_ONCE):
        since = events[-1].sequence or 0
        for event in events:
            row = _row(event)
            if (why := _unusable(data, row)) is None:
                rows.append(row)
            else:
                left_out[why] += 1
    out = with_new(data, rows, _items(data, store))
    if merged := len(rows) - (len(out.events) - len(data.events)):
        left_out[SAME] += merged
    return out, left_out


def _row(event: StoredEvent) -> dict[str, Any]:
    said = {"kind": event.type, "value": event.value, "timestamp": event.time}
    said |= {"latitude": event.latitude, "longitude": event.longitude}
    return {"user_id": event.user_id, "item_id": event.item_id, **{k: v for k, v in said.items() if v is not None}}


def _unusable(data: Dataset, row: dict[str, Any]) -> str | None:
    from graphrec.model.told import single

    try:
        single(data.events, row)
    except DataError as error:
        return str(error)
    return None


def _items(data: Dataset, store: Store) -> list[dict[str, Any]] | None:
    """What was told of each item by now, as a service takes it."""
    from graphrec.model.told import Described

    told = Described()
    for change in store.items_changed():
        if change.action != "hide":
            told.add(change.item_id, change.attributes, change.action == "add")
    return told.rows(data) or None
