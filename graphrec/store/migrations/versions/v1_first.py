"""The first tables."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # there the number of the row itself
_PERSONAL = {
    "graphrec_events": ("user_id", "event_id"),
    "graphrec_impressions": ("user_id",),
    "graphrec_answers": ("user_id", "request", "answer", "named"),
}  # what may name somebody


def _column(name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    """All tables, and the salt of this store."""
    head = op.create_table(
        "graphrec_head", sa.Column("one", sa.Integer, primary_key=True), _column("last", sa.BigInteger)
    )
    op.create_table(
        "graphrec_events",
        sa.Column("sequence", _number, primary_key=True, autoincrement=False),
        _column("source", sa.Text),
        _column("event_id", sa.Text),
        _column("user_id", sa.Text),
        _column("item_id", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("value", sa.Double),
        _column("time", sa.Double),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("recommendation_id", sa.Text),
        sa.Column("position", sa.Integer),
        sa.Column("propensity", sa.Double),
        _column("received", sa.Double),
        sa.UniqueConstraint("source", "event_id", name="graphrec_events_once"),
    )
    op.create_index("graphrec_events_user", "graphrec_events", ["user_id"])
    op.create_table(
        "graphrec_impressions",
        sa.Column("recommendation_id", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Text),
        _column("item_id", sa.Text),
        sa.Column("propensity", sa.Double),
        sa.Column("scenario", sa.Text),
        _column("model_version", sa.Text),
        _column("time", sa.Double),
    )
    op.create_index("graphrec_impressions_user", "graphrec_impressions", ["user_id"])
    op.create_index("graphrec_impressions_time", "graphrec_impressions", ["time"])
    op.create_table(
        "graphrec_answers",
        sa.Column("recommendation_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text),
        _column("kind", sa.Text),
        _column("model_version", sa.Text),
        sa.Column("scenario", sa.Text),
        _column("time", sa.Double),
        _column("request", sa.Text),
        _column("answer", sa.Text),
        sa.Column("named", sa.Text),
    )
    op.create_index("graphrec_answers_user", "graphrec_answers", ["user_id"])
    op.create_index("graphrec_answers_time", "graphrec_answers", ["time"])
    op.create_table(
        "graphrec_item_changes",
        sa.Column("sequence", _number, primary_key=True, autoincrement=False),
        _column("item_id", sa.Text),
        _column("action", sa.Text),
        _column("attributes", sa.Text),
        _column("time", sa.Double),
    )
    op.create_table(
        "graphrec_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        _column("name", sa.Text),
        _column("scopes", sa.Text),
        _column("hash", sa.Text),
        _column("created", sa.Double),
        sa.Column("revoked", sa.Double),
    )
    op.create_table(
        "graphrec_forgotten",
        sa.Column("sequence", _number, primary_key=True, autoincrement=False),
        _column("receipt", sa.Text),
        _column("user_hash", sa.Text),
        _column("time", sa.Double),
        _column("rows", sa.Text),
        sa.Column("scrubbed", sa.Double),
        _column("how", sa.Text),
    )
    op.create_index("graphrec_forgotten_hash", "graphrec_forgotten", ["user_hash"])
    op.create_table(
        "graphrec_learned",
        sa.Column("model_version", sa.Text, primary_key=True),
        _column("sequence", sa.BigInteger),
        _column("time", sa.Double),
    )
    settings = op.create_table(
        "graphrec_settings", sa.Column("name", sa.Text, primary_key=True), _column("value", sa.Text)
    )
    op.bulk_insert(head, [{"one": 1, "last": 0}])
    op.bulk_insert(settings, [{"name": "salt", "value": secrets.token_hex(32)}])
    if op.get_bind().dialect.name == "postgresql":  # nobody is named among what the planner samples
        for table, columns in _PERSONAL.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
