"""A turn deep in a conversation costs what one near its start does."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from chat_core.history.records import Commit, Lease
from chat_core.keys import Address
from chat_core.messages.items import from_items, stored_item
from chat_core.messages.message import Turn
from tests.integration.app import Context

if TYPE_CHECKING:
    from chat_core.wiring import Stores
    from tests.integration.app import App

KANA = [chr(code) for code in range(0x3041, 0x3094)]


def japanese(length: int, seed: int) -> str:
    return "".join(Random(seed).choices(KANA, k=length))


async def fill(store: Stores, conversation: str, messages: int) -> None:
    """Commit messages of 42 and 104 Japanese characters, in turn, 1,000 at a time."""
    head = await store.leases.take(Address("local", conversation), Lease("fill", 2**40), create=True)
    for start in range(0, messages, 1_000):
        items = tuple(
            stored_item({"role": role, "content": japanese(length, seed)})
            for seed in range(start, min(start + 1_000, messages))
            for role, length in [(("user", 42), ("assistant", 104))[seed % 2]]
        )
        commit = Commit(Turn(f"turn_{start}", items, 1), inputs=len(items), messages=len(from_items(items)))
        head = await store.history.commit(head, commit, token=None)
    await store.leases.release(head.address, "fill")


def cost(app: App, conversation: str) -> tuple[Any, ...]:
    app.momento.meter.reset()
    answer = app.turn(conversation, japanese(42, 99_999))
    assert answer.status == 200, answer.body
    metered = app.momento.meter.snapshot()
    return metered.operations, metered.bytes_read, metered.calls, len(app.model.requests[-1]["input"])


def test_a_turn_at_ten_thousand_messages_costs_what_it_does_at_a_hundred(app: App) -> None:
    from chat.handler import parts

    store = parts().stores
    sizes = {"at-100": 100, "at-10000": 10_000}
    for conversation, messages in sizes.items():
        asyncio.run(fill(store, conversation, messages))
        app.turn(conversation, japanese(42, 1))  # heals the copies, which no turn has made yet
    (few_operations, few_bytes, few_calls, few_sent), (operations, read, calls, sent) = (
        cost(app, conversation) for conversation in sizes
    )
    assert operations <= max(few_operations, 10)
    assert read <= 1.1 * few_bytes
    assert (calls, sent) == (few_calls, few_sent)
    assert "ListFetch" not in calls


def test_a_turn_behind_a_summary_costs_three_operations_and_two_a_kibibyte_of_its_value(app: App) -> None:
    from memory.handler import lambda_handler

    created = app.call("POST", "/v1/conversations", {"memory": {"policy": "summary_window"}})
    conversation = created.body["id"]
    for number in range(60):
        app.turn(conversation, japanese(42, number))
        keys = {"pk": {"S": f"local/{conversation}"}, "sk": {"S": "due"}}
        lambda_handler({"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": keys}}]}, Context(60.0))
    app.turn(conversation, japanese(42, 61))
    value = app.momento.caches.get("omoide")._items[f"memory:local/{conversation}".encode()].value
    operations, _, calls, _ = cost(app, conversation)
    assert value is not None
    assert operations <= 3 + 2 * (len(value) / 1_024 + 1), calls
