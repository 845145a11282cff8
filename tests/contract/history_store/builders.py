"""Turns, commits and leases in the words that the tests of the history need."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import ConversationLocked
from chat_core.history import Commit, IdempotencyKey, IdempotencyRecord, Lease
from chat_core.history.dynamodb import DynamoBranches, DynamoConversations, DynamoHistory, DynamoLeases, DynamoResponses
from chat_core.keys import Address
from chat_core.long_term.dynamodb import DynamoFactStore, DynamoLongTermStore, DynamoRecallIndex
from chat_core.messages.message import Turn
from tests.fakes.branches import InMemoryBranches
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryConversations, InMemoryHistory, InMemoryTable
from tests.fakes.leases import InMemoryLeases
from tests.fakes.long_term import InMemoryLongTermStore
from tests.fakes.recall import InMemoryRecallIndex
from tests.fakes.responses import InMemoryResponses

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.history import Branches, ConversationStore, Head, History, Leases, ResponseStore, StoredItem
    from chat_core.history.dynamodb import Table
    from chat_core.long_term import LongTermStore
    from chat_core.long_term.fact_store import FactStore
    from chat_core.long_term.index import RecallIndex
    from chat_core.messages.message import Item

USER = "user-1"
CONVERSATION = "my-chat"
HERE = Address(USER, CONVERSATION)
TOKEN = "token"
MAX_BYTES = 10_000_000

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stores:
    """The ports of one table."""

    history: History
    leases: Leases
    conversations: ConversationStore
    long_term: LongTermStore
    index: RecallIndex
    facts: FactStore
    responses: ResponseStore
    branches: Branches

    @classmethod
    def in_memory(cls, clock: Callable[[], float]) -> Stores:
        return cls.of(InMemoryTable(clock))

    @classmethod
    def of(cls, table: InMemoryTable) -> Stores:
        conversations = InMemoryConversations(table)
        return cls(
            InMemoryHistory(table),
            InMemoryLeases(table),
            conversations,
            InMemoryLongTermStore(table),
            InMemoryRecallIndex(table),
            InMemoryFactStore(table),
            InMemoryResponses(table),
            InMemoryBranches(table),
        )

    @classmethod
    def in_dynamodb(cls, table: Table) -> Stores:
        remembered = DynamoLongTermStore(table)
        index = DynamoRecallIndex(table)
        facts = DynamoFactStore(table)
        derived: list[Any] = [remembered, index, facts]
        return cls(
            DynamoHistory(table),
            DynamoLeases(table),
            DynamoConversations(table, derived),
            remembered,
            index,
            facts,
            DynamoResponses(table),
            DynamoBranches(table, derived),
        )


class Clock:
    now = 1_700_000_000.25

    def __call__(self) -> float:
        return self.now


def message(text: str, role: str = "user") -> Item:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], "status": "completed"}


def commit(*items: Item, **fields: Any) -> Commit:
    """Make the commit of a turn with the items, or of a question and its answer."""
    number = next(_numbers)
    items = items or (message(f"question {number}"), message(f"answer {number}", "assistant"))
    defaults = {
        "inputs": 1,
        "messages": len(items),
        "fingerprint": f"{number:064x}",
        "frame": {"model": "a-model", "number": number},
        "kept_until": int(Clock.now) + 30 * 86_400,
        "title": "A title",
    }
    return Commit(Turn(f"turn_{number}", items, 1_700_000_001), **{**defaults, **fields})


def lease(token: str = TOKEN, *, until: float = Clock.now + 35, key: str = "") -> Lease:
    return Lease(token, until, key)


def recorded(key: IdempotencyKey, head: Head, *items: Item, now: float = Clock.now, **fields: Any) -> Commit:
    """Make a commit behind a head that is recorded under a key."""
    made = commit(*items, **fields)
    first, last = head.seq + 1, head.seq + len(made.turn.items)
    name, expires_at = head.conversation, int(now) + 86_400
    fingerprint = made.fingerprint
    record = IdempotencyRecord(key, fingerprint, name, head.incarnation, first, last, made.inputs, expires_at)
    return replace(made, record=record)


async def converse(store: Stores, turns: int = 1, *, user: str = USER, conversation: str = CONVERSATION) -> Head:
    """Run turns in a conversation, which the first one creates."""
    for _ in range(turns):
        head = await store.leases.take(Address(user, conversation), lease(), create=True)
        head = await store.history.commit(head, commit(), token=TOKEN)
    return head


async def is_locked(store: Stores) -> bool:
    """Whether a turn of the conversation has to wait."""
    try:
        await store.leases.take(HERE, lease("probe"), create=True)
    except ConversationLocked:
        return True
    await store.leases.release(HERE, "probe")
    return False


def texts(items: tuple[StoredItem, ...]) -> list[str]:
    return [stored.item["content"][0]["text"] for stored in items]


def seqs(items: tuple[StoredItem, ...]) -> list[int]:
    return [stored.seq for stored in items]


def bare(stored: StoredItem) -> Item:
    """Give the item as it was committed, without the id."""
    return {name: value for name, value in stored.item.items() if name != "id"}
