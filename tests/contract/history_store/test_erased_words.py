"""A fold stopped at any step, and what it was made of deleted: the whole table is without the words."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import ChatError
from chat_core.history import Deletion
from chat_core.long_term.folding import MemoryWorker, StructuredModel, Summariser, Summarising
from chat_core.long_term.folding import Stores as Sources
from chat_core.tokens import counter_for
from tests.contract.history_store.builders import HERE, TOKEN, Clock, commit, lease, message
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryTable
from tests.fakes.recall import InMemoryRecallIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.contract.history_store.builders import Stores

WORD = "chrysanthemum"
SETTINGS = {"policy": "summary_window", "trigger_messages": 6, "keep": 4}
STEPS = 8


class Stopped(BaseException):
    """The function was killed."""


class Killing:
    """A store whose environment is killed at a call, before or after it is made."""

    def __init__(self, store: Any, calls: list[str], step: int, *, after: bool) -> None:
        self._store, self._calls, self._step, self._after = store, calls, step, after

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._calls.append(name)
            stops = len(self._calls) == self._step
            if stops and not self._after:
                raise Stopped
            result = await getattr(self._store, name)(*args, **kwargs)
            if stops:
                raise Stopped
            return result

        return call


class Notetaker:
    """Writes a summary of all that it is given."""

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        words = " ".join(str(item["content"]) for item in body["input"]).replace("<", "")
        text = json.dumps({"language": "en", "summary": words[-1_500:]})
        return {
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
        }


def worker(store: Stores, clock: Clock, *, step: int = 0, after: bool = False) -> MemoryWorker:
    calls: list[str] = []
    history: Any = Killing(store.history, calls, step, after=after)
    memories: Any = Killing(store.long_term, calls, step, after=after)
    other = InMemoryTable(clock)
    sources = Sources(history, memories, InMemoryRecallIndex(other), InMemoryFactStore(other))
    model: Any = Notetaker()
    counter = counter_for("m")
    summarising = Summarising(
        Summariser(StructuredModel(model, "m"), counter=counter, clock=clock), clock=clock, count=uncounted
    )
    return MemoryWorker(sources, [summarising], counter=counter, default_memory=SETTINGS, clock=clock, count=uncounted)


def uncounted(*_: object, **__: object) -> None:
    pass


@pytest.fixture
def found(boto: Any, table: str) -> Callable[[], list[str]]:
    """Names the rows of the whole table that hold the word, whatever their form."""

    def scan() -> list[str]:
        rows = boto.scan(TableName=table, ConsistentRead=True)["Items"]
        return [row["sk"]["S"] for row in rows if WORD in " ".join(_texts(row))]

    return scan


def _texts(row: Mapping[str, Any]) -> list[str]:
    texts = []
    for value in row.values():
        [(kind, held)] = value.items()
        texts.append(zlib.decompress(bytes(held)).decode() if kind == "B" else str(held))
    return texts


async def converse(store: Stores) -> None:
    for number in range(5):
        head = await store.leases.take(HERE, lease(), create=True)
        said = f"I planted a {WORD} today" if number == 0 else f"day {number}"
        items = message(said), message("I see", "assistant")
        await store.history.commit(head, commit(*items, due=True, title="A garden"), token=TOKEN)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, STEPS))
def test_a_fold_stopped_at_any_step_leaves_no_word_of_what_is_deleted(
    step: int, after: bool, dynamo: Stores, found: Callable[[], list[str]], clock: Clock
) -> None:
    async def scenario() -> None:
        await converse(dynamo)
        assert "item#000000000001" in found()
        with suppress(Stopped, ChatError):
            await worker(dynamo, clock, step=step, after=after).work(HERE, Deadline.after(60))
        head = await dynamo.history.head(HERE)
        await dynamo.conversations.delete_items(head, Deletion([1], 1))
        assert found() == []
        for _ in range(2):
            await worker(dynamo, clock).work(HERE, Deadline.after(60))
        assert found() == []
        memory = await dynamo.long_term.read(await dynamo.history.head(HERE))
        assert memory is not None
        assert "day 1" in memory.summary.text

    asyncio.run(scenario())


def test_the_word_is_found_where_it_is(dynamo: Stores, found: Callable[[], list[str]], clock: Clock) -> None:
    async def scenario() -> None:
        await converse(dynamo)
        assert await worker(dynamo, clock).work(HERE, Deadline.after(60)) == "folded"
        assert found() == ["item#000000000001", "memory"]

    asyncio.run(scenario())
