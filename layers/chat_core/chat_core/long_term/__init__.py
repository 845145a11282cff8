"""Long-term memory: what is made of the history off the request path, and can be made again from it."""

from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.due import folding_of, is_overdue, makes_due, unfolded_by
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.index import Indexed, IndexStats, RecallIndex
from chat_core.long_term.indexing import Indexing
from chat_core.long_term.notes import notes_of
from chat_core.long_term.records import Memory
from chat_core.long_term.store import Change, Due, LongTermStore, Stores
from chat_core.long_term.summariser import Summariser
from chat_core.long_term.worker import MemoryWorker

__all__ = [
    "Change",
    "Due",
    "Embedder",
    "IndexStats",
    "Indexed",
    "Indexing",
    "LongTermStore",
    "Memory",
    "MemoryWorker",
    "RecallIndex",
    "Stores",
    "StructuredModel",
    "Summariser",
    "folding_of",
    "is_overdue",
    "makes_due",
    "notes_of",
    "unfolded_by",
]
