"""What a store holds of answers, in bulk, for measuring."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from graphrec.store import schema
from graphrec.store.opening import transaction
from graphrec.store.store import Store
from graphrec.types import model_of

INTERLEAVED = "interleave"  # the kind of an answer of two models


def shown(store: Store) -> list[Any]:
    """All impressions of answers of one model, in the order of answers and places, with ``model``, whose they are, and
    ``event_types``, of the events that name the answer and the item, each once. Rows have the columns of the table."""
    table, answers = schema.impressions, schema.answers
    two = sa.select(answers.c.recommendation_id).where(answers.c.kind == INTERLEAVED)
    with transaction(store._engine) as connection:
        wanted = table.select().where(table.c.recommendation_id.not_in(two))
        rows = [
            row._asdict() for row in connection.execute(wanted.order_by(table.c.recommendation_id, table.c.position))
        ]
        found = _types(connection)
    return [
        row
        | {
            "model": model_of(row["model_version"]),
            "event_types": found.get((row["recommendation_id"], row["item_id"]), set()),
        }
        for row in rows
    ]


def interleaved(store: Store) -> list[dict[str, Any]]:
    """All answers of two models: recommendation_id, user_id, time, which two (``a``, ``b``), and ``items`` with their
    ``team`` and ``event_types``, as ``shown`` has them."""
    table = schema.answers
    with transaction(store._engine) as connection:
        wanted = table.select().where(table.c.kind == INTERLEAVED).order_by(table.c.time, table.c.recommendation_id)
        rows = connection.execute(wanted).all()
        found = _types(connection)
    out = []
    for row in rows:
        said = json.loads(row.answer)
        items = [
            {"team": i["team"], "event_types": found.get((row.recommendation_id, i["item_id"]), set())}
            for i in said["items"]
        ]
        own = {"recommendation_id": row.recommendation_id, "user_id": row.user_id, "time": row.time}
        two = {team: model_of(version) for team, version in said["interleaved"].items()}
        out.append({**own, **two, "items": items})
    return out


def _types(connection: sa.Connection) -> dict[tuple[str, str], set[str]]:
    """(answer, item) → the types of the events that name both."""
    events, out = schema.events, dict[tuple[str, str], set[str]]()
    named = sa.select(events.c.recommendation_id, events.c.item_id, events.c.type)
    for answer, item, kind in connection.execute(named.where(events.c.recommendation_id.is_not(None))):
        out.setdefault((answer, item), set()).add(kind or "")
    return out
