"""Alembic's migrations of the store, run by :mod:`serving.store.schema`."""
