"""The durable history: the source of truth and of order."""

from chat_core.history.as_messages import stored_messages
from chat_core.history.records import (
    Commit,
    Head,
    IdempotencyKey,
    IdempotencyRecord,
    LastTurn,
    Lease,
    Order,
    Page,
    StoredItem,
)
from chat_core.history.store import HistoryStore

__all__ = [
    "Commit",
    "Head",
    "HistoryStore",
    "IdempotencyKey",
    "IdempotencyRecord",
    "LastTurn",
    "Lease",
    "Order",
    "Page",
    "StoredItem",
    "stored_messages",
]
