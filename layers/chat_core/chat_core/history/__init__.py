"""The durable history: the source of truth and of order."""

from chat_core.history.as_messages import stored_messages
from chat_core.history.records import (
    NOTHING_UNFOLDED,
    Commit,
    Deletion,
    Head,
    IdempotencyKey,
    IdempotencyRecord,
    LastTurn,
    Lease,
    Order,
    Page,
    StoredItem,
    Unfolded,
)
from chat_core.history.responses import Alone, ResponseStore, StoredResponse
from chat_core.history.store import Branches, ConversationStore, History, Leases

__all__ = [
    "NOTHING_UNFOLDED",
    "Alone",
    "Branches",
    "Commit",
    "ConversationStore",
    "Deletion",
    "Head",
    "History",
    "IdempotencyKey",
    "IdempotencyRecord",
    "LastTurn",
    "Lease",
    "Leases",
    "Order",
    "Page",
    "ResponseStore",
    "StoredItem",
    "StoredResponse",
    "Unfolded",
    "stored_messages",
]
