"""Long-term memory: what is made of the history off the request path, and can be made again from it.

What turns and conversations use of it; `chat_core.long_term.folding` is the face of what makes it, and `recaller` what
finds what a turn brings up.
"""

from chat_core.long_term.due import (
    MISSED_SECONDS,
    folding_of,
    is_overdue,
    makes_due,
    quiet_from,
    quiet_from_change,
    unfolded_by,
)
from chat_core.long_term.fact_store import FactStore
from chat_core.long_term.facts import Assertion, Fact, resolved
from chat_core.long_term.facts.kept import kept_rows, read_rows
from chat_core.long_term.index import Indexed, IndexStats, RecallIndex
from chat_core.long_term.joining import of_joined, shares_facts
from chat_core.long_term.notes import notes_of
from chat_core.long_term.records import Memory
from chat_core.long_term.remembered import RememberedFacts
from chat_core.long_term.store import Change, Due, LongTermStore, Waiting
from chat_core.long_term.told import NOTHING_TOLD, Told, found_message, joined, told, with_own

__all__ = [
    "MISSED_SECONDS",
    "NOTHING_TOLD",
    "Assertion",
    "Change",
    "Due",
    "Fact",
    "FactStore",
    "IndexStats",
    "Indexed",
    "LongTermStore",
    "Memory",
    "RecallIndex",
    "RememberedFacts",
    "Told",
    "Waiting",
    "folding_of",
    "found_message",
    "is_overdue",
    "joined",
    "kept_rows",
    "makes_due",
    "notes_of",
    "of_joined",
    "quiet_from",
    "quiet_from_change",
    "read_rows",
    "resolved",
    "shares_facts",
    "told",
    "unfolded_by",
    "with_own",
]
