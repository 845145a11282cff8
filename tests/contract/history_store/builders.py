"""Turns, commits and leases in the words that the tests of the history need."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from chat_core.history.records import Commit, Lease
from chat_core.keys import Address
from chat_core.messages.message import Turn

if TYPE_CHECKING:
    from chat_core.history.records import Head, StoredItem
    from chat_core.history.store import HistoryStore
    from chat_core.messages.message import Item

USER = "user-1"
CONVERSATION = "my-chat"
HERE = Address(USER, CONVERSATION)
TOKEN = "token"
MAX_BYTES = 10_000_000

_numbers = itertools.count(1)


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
        "frame": {"id": f"resp_{number}", "model": "a-model"},
        "title": "A title",
    }
    return Commit(Turn(f"turn_{number}", items, 1_700_000_001), **{**defaults, **fields})


def lease(token: str = TOKEN, *, until: float = Clock.now + 35, key: str = "") -> Lease:
    return Lease(token, until, key)


async def converse(store: HistoryStore, turns: int = 1, *, user: str = USER, conversation: str = CONVERSATION) -> Head:
    """Run turns in a conversation, which the first one creates."""
    for _ in range(turns):
        head = await store.take_lease(Address(user, conversation), lease(), create=True)
        head = await store.commit(head, commit(), token=TOKEN)
    return head


def texts(items: tuple[StoredItem, ...]) -> list[str]:
    return [stored.item["content"][0]["text"] for stored in items]


def seqs(items: tuple[StoredItem, ...]) -> list[int]:
    return [stored.seq for stored in items]


def bare(stored: StoredItem) -> Item:
    """Give the item as it was committed, without the id."""
    return {name: value for name, value in stored.item.items() if name != "id"}
