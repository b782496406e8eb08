"""The tables of the store, as they are now; ``migrations/`` says how they came to be.

Names begin with ``graphrec_``, so that a database may hold other things. Every write that others must hear of takes
its number from the one row of ``head``, and holds that row until it is committed: numbers have no gaps, and whoever
reads up to a number has read all below it, in whatever order transactions began.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

VERSION_TABLE = "graphrec_store_version"
metadata = sa.MetaData()
_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # there the number of the row itself
_id = sa.Text  # SQLite compares bytes, PostgreSQL text in UTF-8: equal is equal in both


def _column(name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


head = sa.Table(
    "graphrec_head", metadata, sa.Column("one", sa.Integer, primary_key=True), _column("last", sa.BigInteger)
)

events = sa.Table(
    "graphrec_events",
    metadata,
    sa.Column("sequence", _number, primary_key=True, autoincrement=False),
    _column("source", _id),
    _column("event_id", _id),
    _column("user_id", _id),
    _column("item_id", _id),
    sa.Column("type", _id),
    sa.Column("value", sa.Double),
    _column("time", sa.Double),
    sa.Column("latitude", sa.Double),
    sa.Column("longitude", sa.Double),
    sa.Column("recommendation_id", _id),
    sa.Column("position", sa.Integer),
    sa.Column("propensity", sa.Double),
    _column("received", sa.Double),
    sa.UniqueConstraint("source", "event_id", name="graphrec_events_once"),
    sa.Index("graphrec_events_user", "user_id"),
)

impressions = sa.Table(
    "graphrec_impressions",
    metadata,
    sa.Column("recommendation_id", _id, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("user_id", _id),
    _column("item_id", _id),
    sa.Column("propensity", sa.Double),
    sa.Column("scenario", _id),
    _column("model_version", _id),
    _column("time", sa.Double),
    sa.Index("graphrec_impressions_user", "user_id"),
    sa.Index("graphrec_impressions_time", "time"),
)

answers = sa.Table(
    "graphrec_answers",
    metadata,
    sa.Column("recommendation_id", _id, primary_key=True),
    sa.Column("user_id", _id),
    _column("kind", _id),
    _column("model_version", _id),
    sa.Column("scenario", _id),
    _column("time", sa.Double),
    _column("request", sa.Text),
    _column("answer", sa.Text),
    sa.Column("named", sa.Text),
    sa.Index("graphrec_answers_user", "user_id"),
    sa.Index("graphrec_answers_time", "time"),
)

item_changes = sa.Table(
    "graphrec_item_changes",
    metadata,
    sa.Column("sequence", _number, primary_key=True, autoincrement=False),
    _column("item_id", _id),
    _column("action", sa.Text),
    _column("attributes", sa.Text),
    _column("time", sa.Double),
)

keys = sa.Table(
    "graphrec_keys",
    metadata,
    sa.Column("key_id", _id, primary_key=True),
    _column("name", _id),
    _column("scopes", sa.Text),
    _column("hash", sa.Text),
    _column("created", sa.Double),
    sa.Column("revoked", sa.Double),
)

forgotten = sa.Table(
    "graphrec_forgotten",
    metadata,
    sa.Column("sequence", _number, primary_key=True, autoincrement=False),
    _column("receipt", _id),
    _column("user_hash", sa.Text),
    _column("time", sa.Double),
    _column("rows", sa.Text),
    sa.Column("scrubbed", sa.Double),
    _column("how", sa.Text),
    sa.Index("graphrec_forgotten_hash", "user_hash"),
)

learned = sa.Table(
    "graphrec_learned",
    metadata,
    sa.Column("model_version", _id, primary_key=True),
    _column("sequence", sa.BigInteger),
    _column("time", sa.Double),
)

settings = sa.Table(
    "graphrec_settings", metadata, sa.Column("name", sa.Text, primary_key=True), _column("value", sa.Text)
)
