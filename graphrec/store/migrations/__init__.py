"""How the tables of the store came to be: one file a version in ``versions/``, which alembic runs in order."""
