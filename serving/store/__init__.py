"""What the service keeps: scores of each night, worklist, decisions, care relations, consents, releases to employers."""

from serving.store.connection import StoreUnavailable
from serving.store.store import Store, open_store

__all__ = ["Store", "StoreUnavailable", "open_store"]
