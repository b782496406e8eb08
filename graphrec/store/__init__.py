"""What came in, kept for good: events, impressions, answers, changes of items, keys; SQLite or PostgreSQL."""

from graphrec.store.records import Erased, Impression, ItemChange, Key, Scope, StoredAnswer, StoredEvent
from graphrec.store.store import Appended, Store

__all__ = [
    "Appended",
    "Erased",
    "Impression",
    "ItemChange",
    "Key",
    "Scope",
    "Store",
    "StoredAnswer",
    "StoredEvent",
]
