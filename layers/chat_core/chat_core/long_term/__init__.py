"""Long-term memory: what is made of the history off the request path, and can be made again from it."""

from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.due import MISSED_SECONDS, folding_of, is_overdue, makes_due, quiet_from, unfolded_by
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.extracting import Extracting
from chat_core.long_term.extractor import Extractor
from chat_core.long_term.fact_store import FactStore
from chat_core.long_term.facts import Assertion, Fact, resolved
from chat_core.long_term.facts.kept import kept_rows, read_rows
from chat_core.long_term.index import Indexed, IndexStats, RecallIndex
from chat_core.long_term.indexing import Indexing
from chat_core.long_term.notes import notes_of
from chat_core.long_term.query_vectors import QueryVectors
from chat_core.long_term.question import Question
from chat_core.long_term.recaller import Recalled, Recaller, RecallStores
from chat_core.long_term.records import Memory
from chat_core.long_term.remembered import RememberedFacts
from chat_core.long_term.store import Change, Due, LongTermStore, Stores, Waiting
from chat_core.long_term.summariser import Summariser
from chat_core.long_term.summarising import Summarising
from chat_core.long_term.told import NOTHING_TOLD, Told, found_message, joined, told, with_own
from chat_core.long_term.worker import MemoryWorker

__all__ = [
    "MISSED_SECONDS",
    "NOTHING_TOLD",
    "Assertion",
    "Change",
    "Due",
    "Embedder",
    "Extracting",
    "Extractor",
    "Fact",
    "FactStore",
    "IndexStats",
    "Indexed",
    "Indexing",
    "LongTermStore",
    "Memory",
    "MemoryWorker",
    "QueryVectors",
    "Question",
    "RecallIndex",
    "RecallStores",
    "Recalled",
    "Recaller",
    "RememberedFacts",
    "Stores",
    "StructuredModel",
    "Summariser",
    "Summarising",
    "Told",
    "Waiting",
    "folding_of",
    "found_message",
    "is_overdue",
    "joined",
    "kept_rows",
    "makes_due",
    "notes_of",
    "quiet_from",
    "read_rows",
    "resolved",
    "told",
    "unfolded_by",
    "with_own",
]
