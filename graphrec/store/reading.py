"""What a store holds of answers, in bulk, for measuring."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from graphrec.store import schema
from graphrec.store.opening import transaction
from graphrec.store.store import Store


def shown(store: Store) -> list[Any]:
    """All impressions, in the order of answers and places, with ``event_types``: of the events that name the answer and
    the item, each once. Rows have the columns of the table."""
    table, events = schema.impressions, schema.events
    with transaction(store._engine) as connection:
        wanted = table.select().order_by(table.c.recommendation_id, table.c.position)
        rows = [row._asdict() for row in connection.execute(wanted)]
        named = sa.select(events.c.recommendation_id, events.c.item_id, events.c.type, events.c.user_id)
        found: dict[tuple[Any, Any], set[str]] = {}
        for answer, item, kind, _ in connection.execute(named.where(events.c.recommendation_id.is_not(None))):
            found.setdefault((answer, item), set()).add(kind or "")
    return [row | {"event_types": found.get((row["recommendation_id"], row["item_id"]), set())} for row in rows]
