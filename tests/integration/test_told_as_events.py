"""The cases of ``tests/cases`` that are told as events, through the real handlers; each test names its case."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chat_core.api import event_loop
from chat_core.deadline import Deadline
from chat_core.keys import Address
from tests.integration.test_memory import SETTINGS, deliver, memory_of
from tests.integration.test_recall import QUESTION, context_of, quoted, talk
from tests.table_client import rows_in
from tests.unit.turns.stage import asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.integration.app import App

SECRET = "the password of the vault is swordfish"


class Folding:
    """The memory function of this environment: what its model is given, and what happens before it writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from memory import handler

        self.parts = handler.parts()
        self.asked: list[str] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        post, change = self.parts.model.post, self.parts.stores.long_term.change

        async def noting(endpoint: Any, body: Any, **more: Any) -> Any:
            self.asked.append(json.dumps(body["input"], ensure_ascii=False))
            return await post(endpoint, body, **more)

        async def late(head: Any, changed: Any) -> None:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                await meanwhile()
            await change(head, changed)

        monkeypatch.setattr(self.parts.model, "post", noting)
        monkeypatch.setattr(self.parts.stores.long_term, "change", late)

    async def work(self, name: str) -> str:
        return await self.parts.worker.work(Address("local", name), Deadline.after(60))

    def erasure(self) -> Any:
        from history import handler

        return handler.parts().erasure


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> Iterator[Folding]:
    yield Folding(monkeypatch)
    monkeypatch.undo()


def own_name() -> str:
    return f"told-{uuid4().hex[:8]}"


def conversation_of(app: App, *texts: str, name: str | None = None) -> str:
    name = name or own_name()
    for text in texts:
        assert app.turn(name, text).status == 200
    assert app.call("POST", f"/v1/conversations/{name}", {"memory": SETTINGS}).status == 200
    return name


def items_of(app: App, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.call(
        "GET", f"/v1/conversations/{name}/items", query={"order": "asc", "limit": "100"}
    ).body["data"]
    return found


def rows_with(text: str) -> list[str]:
    """Name the rows of the whole table that hold a text, compressed or not."""
    from chat import handler as chat
    from chat_core.history.dynamodb.packing import unpacked

    table = chat.parts().stores.table
    found = []
    for row in rows_in(table._connected(), table.name):
        told = [repr(value) if "B" not in value else repr(_opened(unpacked, value)) for value in row.values()]
        if any(text in one for one in told):
            found.append(f"{row['pk']['S']} {row['sk']['S']}")
    return found


def _opened(unpacked: Callable[[Any], Any], value: Any) -> Any:
    try:
        return unpacked(value)
    except Exception:  # a block of the index: no text
        return None


def test_an_erased_item_falls_back_to_the_checkpoint_before_it(app: App, folding: Folding) -> None:
    """SU-011."""
    name = conversation_of(app, "I am Naomi.", "I like tea.", "It rains.", SECRET)
    app.turn(name, "And now?")
    deliver(name)
    first = memory_of(app, name).body
    items = items_of(app, name)
    assert first["covers_up_to"] == items[5]["id"]
    for text in ("one", "two", "three"):
        app.turn(name, text)
    deliver(name)
    assert memory_of(app, name).body["covers_up_to"] == items_of(app, name)[11]["id"]
    for seq in (7, 8):  # the secret, and the answer that repeats it
        assert app.call("DELETE", f"/v1/conversations/{name}/items/{items[seq - 1]['id']}").status == 200
    assert memory_of(app, name).body["summary"] == first["summary"]
    assert "swordfish" not in json.dumps(app.call("GET", f"/v1/conversations/{name}/context").body)
    assert rows_with("swordfish") == []
    folding.asked.clear()
    deliver(name)
    assert "It rains." not in folding.asked[-1].rpartition("[1]")[2]  # it starts behind the checkpoint
    assert "swordfish" not in folding.asked[-1]
    assert memory_of(app, name).body["status"] == "current"


def test_a_fold_that_began_before_an_erasure_writes_nothing_of_it(app: App, folding: Folding) -> None:
    """SU-012."""
    name = conversation_of(app, SECRET, "I like tea.", "It rains.", "And now?")
    items = items_of(app, name)
    address = Address("local", name)

    async def erase() -> None:
        for item in items[:2]:
            await folding.erasure().item(address, item["id"])

    folding.meanwhile = erase
    app.turn(name, "Go on.")
    deliver(name)
    assert "swordfish" in folding.asked[0]
    told = memory_of(app, name).body
    assert told["summary"] is None or "swordfish" not in told["summary"]["text"]
    assert rows_with("swordfish") == []
    for text in ("one", "two"):
        app.turn(name, text)
    deliver(name)
    assert memory_of(app, name).body["status"] == "current"
    assert memory_of(app, name).body["summary"]["text"]


def test_records_delivered_thrice_late_and_to_two_at_once_have_one_effect(app: App, folding: Folding) -> None:
    """MX-001."""
    name = conversation_of(app, *(f"text {number}" for number in range(3)))
    app.turn(name, "the fourth")

    async def at_once() -> list[str]:
        return list(await asyncio.gather(folding.work(name), folding.work(name)))

    assert "folded" in event_loop.run(at_once())
    deliver(name, times=3)
    assert len(folding.asked) <= 2
    assert memory_of(app, name).body["covers_up_to"] == items_of(app, name)[3]["id"]
    head = event_loop.run(folding.parts.stores.history.head(Address("local", name)))
    assert head.folds == 1


def test_a_fold_of_a_conversation_that_was_made_anew_is_refused(app: App, folding: Folding) -> None:
    """MX-002."""
    name = conversation_of(app, SECRET, "I like tea.", "It rains.")
    app.turn(name, "And now?")
    address = Address("local", name)

    async def anew() -> None:
        from chat import handler as chat

        await folding.erasure().conversation(address)
        await chat.parts().turns.run(replace(asked("Hello", model="gpt-4.1-mini"), address=address), Deadline.after(20))

    folding.meanwhile = anew
    deliver(name)
    assert len(folding.asked) == 1
    told = memory_of(app, name).body
    assert (told["status"], told["summary"], told["covers_up_to"]) == ("none", None, None)
    assert rows_with("swordfish") == []


def test_of_two_folds_the_one_that_covers_less_is_ignored(app: App, folding: Folding) -> None:
    """SM-016."""
    name = conversation_of(app, "one", "two", "three")
    app.turn(name, "four")
    address = Address("local", name)
    reached: list[int] = []

    async def faster() -> None:
        from chat import handler as chat

        for text in ("five", "six"):
            request = replace(asked(text, model="gpt-4.1-mini"), address=address)
            await chat.parts().turns.run(request, Deadline.after(20))
        assert await folding.work(name) == "folded"
        head = await folding.parts.stores.history.head(address)
        memory = await folding.parts.stores.long_term.read(head)
        assert memory is not None
        reached.append(memory.covers_up_to)

    folding.meanwhile = faster
    deliver(name)
    head = event_loop.run(folding.parts.stores.history.head(address))
    memory = event_loop.run(folding.parts.stores.long_term.read(head))
    assert memory is not None
    assert reached == [memory.covers_up_to] == [8]
    assert head.folds == 1


def test_what_an_erased_item_had_ended_holds_again(app: App) -> None:
    """FA-011."""
    user = f"user-{uuid4().hex[:8]}"
    settings = {**SETTINGS, "keep": 2, "entities": True}
    name = app.call("POST", "/v1/conversations", {"memory": settings}, user=user).body["id"]

    def say(*texts: str) -> None:
        from memory.handler import lambda_handler
        from tests.integration.app import Context
        from tests.integration.test_memory import record

        for text in (*texts, "今日は晴れです。", "明日は雨です。", "そうですか。"):
            assert app.turn(name, text, user=user).status == 200
        lambda_handler({"Records": [record(name, user)]}, Context(60.0))

    say("大阪に住んでいます。")
    say("来月から福岡です。")
    facts = app.call("GET", "/v1/memory/facts", user=user).body["data"]
    new = next(fact for fact in facts if fact["object_value"] == "福岡")
    for item in new["item_ids"]:
        assert app.call("DELETE", f"/v1/conversations/{name}/items/{item}", user=user).status == 200
    left = {fact["object_value"]: fact for fact in app.call("GET", "/v1/memory/facts", user=user).body["data"]}
    assert "福岡" not in left
    osaka = left["大阪"]
    assert (osaka["status"], osaka["valid_to"], osaka["superseded_by"]) == ("current", None, None)


def test_vectors_of_another_model_count_again_once_they_are_made_anew(
    app: App, folding: Folding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RC-014."""
    from chat import handler as chat

    name = talk(app)
    assert context_of(app, name, QUESTION)["recall"]["degraded"] is None
    recaller: Any = chat.parts().turns._parts.sources.recaller
    embedders = (recaller.vectors._embedder, folding.parts.worker._parts[2]._embedder)  # type: ignore[attr-defined]
    for one in (*embedders, recaller.vectors):
        monkeypatch.setattr(one, "name", "text-embedding-3-large")
    first = context_of(app, name, QUESTION)
    assert quoted(first)
    assert first["recall"]["degraded"] == "lexical_only"
    event_loop.run(_due(folding, name))
    folding.asked.clear()
    deliver(name)
    assert sum("Pochi" in text for text in folding.asked) == 1
    assert context_of(app, name, QUESTION)["recall"]["degraded"] is None


async def _due(folding: Folding, name: str) -> None:
    """Have work said to be there, as any commit that makes a fold due does."""
    from chat_core.long_term import Change

    stores = folding.parts.stores
    head = await stores.history.head(Address("local", name))
    memory = await stores.long_term.read(head)
    assert memory is not None
    await stores.long_term.change(head, Change(memory, due=True))


def test_turns_at_once_stand_one_behind_the_other(app: App) -> None:
    """CC-001."""
    from chat import handler as chat

    name = own_name()
    address = Address("local", name)

    async def at_once() -> None:
        texts = ("first", "second", "third")
        requests = [replace(asked(text, model="gpt-4.1-mini"), address=address) for text in texts]
        await asyncio.gather(*(chat.parts().turns.run(request, Deadline.after(25)) for request in requests))

    event_loop.run(at_once())
    assert [item["role"] for item in items_of(app, name)] == ["user", "assistant"] * 3
    history = chat.parts().stores.history
    head = event_loop.run(history.head(address))
    turns = [stored.turn_id for stored in event_loop.run(history.items(head, 1, head.seq))]
    assert turns[0::2] == turns[1::2]
    assert len(set(turns)) == 3


def test_an_item_has_the_stores_id_and_is_appended_once(app: App) -> None:
    """LM-007."""
    name = own_name()
    item = {"type": "message", "role": "user", "content": "Hello"}
    key = {"Idempotency-Key": uuid4().hex}
    path = f"/v1/conversations/{name}/items"
    first, again = (app.call("POST", path, {"items": [item]}, headers=key) for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body["data"] == again.body["data"]
    (stored,) = items_of(app, name)
    assert stored["id"] == first.body["data"][0]["id"]
    assert stored["id"].endswith(f"{1:012x}")
    # What brings an id gets one of the store's all the same, and the place behind the last one.
    other = app.call("POST", path, {"items": [{**item, "id": stored["id"]}]}).body["data"][0]
    assert other["id"].endswith(f"{2:012x}")
    assert [one["id"] for one in items_of(app, name)] == [stored["id"], other["id"]]
