"""What alembic runs: the versions, in the transaction of the connection that ``graphrec.store.opening`` hands over."""

from __future__ import annotations

from alembic import context

from graphrec.store.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
