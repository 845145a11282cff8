"""A fold of all parts: read once, asked for side by side, written in one transaction; none holds up another."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import UpstreamError
from chat_core.history import Unfolded
from chat_core.long_term import Memory, resolved
from chat_core.long_term.asking import COMMIT_RESERVE
from chat_core.long_term.due import folding_of, makes_due, quiet_from, unfolded_by
from chat_core.long_term.folding import Embedder, Extracting, Extractor, Indexing, StructuredModel, Summarising
from chat_core.long_term.index import Indexed
from chat_core.long_term.summariser import Summariser
from chat_core.memory import merge_settings, parse_add_ons, parse_policy
from chat_core.messages import from_items
from chat_core.tokens import counter_for
from tests.contract.history_store.builders import HERE, TOKEN, Clock, commit, lease, message
from tests.contract.history_store.builders import Stores as Under
from tests.unit.long_term.test_extractor import answer, fact, text
from tests.unit.long_term.test_indexing import direction
from tests.unit.long_term.working import Working
from tests.unit.long_term.world import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.observability import Metric

pytestmark = pytest.mark.anyio

ALL: dict[str, Any] = {
    "policy": "summary_window",
    "trigger_messages": 6,
    "keep": 4,
    "entities": True,
    "recall": True,
}
NOTES = written("notes")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Provider:
    """Answers each schema by its own script, or well; it can be held, to see who has asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.timeouts: list[float] = []
        self.script: dict[str, list[Any]] = {}
        self.gate: asyncio.Event | None = None

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        name = endpoint if endpoint == "embeddings" else body["text"]["format"]["name"]
        self.asked.append(name)
        self.timeouts.append(timeout)
        if self.gate is not None:
            await self.gate.wait()
        if self.script.get(name):
            given = self.script[name].pop(0)
            if isinstance(given, BaseException):
                raise given
            return given
        if name == "embeddings":
            return {"data": [{"index": n, "embedding": direction(said)} for n, said in enumerate(body["input"])]}
        return answer(fact("Paris")) if name == "memory_facts" else NOTES


class Counting:
    """A port whose calls are counted."""

    def __init__(self, port: Any, calls: Counter[str], name: str) -> None:
        self._port, self._calls, self._name = port, calls, name

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            self._calls[f"{self._name}.{name}"] += 1
        return getattr(self._port, name)


class World:
    def __init__(self, settings: Mapping[str, Any] = ALL) -> None:
        self.clock = Clock()
        self.settings = settings
        self.under = Under.in_memory(self.clock)
        self.calls: Counter[str] = Counter()
        self.stores = Under(
            **{name: Counting(getattr(self.under, name), self.calls, name) for name in Under.__dataclass_fields__}
        )
        self.provider = Provider()
        self.counted: Counter[str] = Counter()
        model, counter, count = StructuredModel(self.provider, "gpt-4o"), counter_for("gpt-4o"), self.count
        clock, stores, embedder = self.clock, self.stores, Embedder(self.provider, "text-embedding-3-small")
        self.parts = (
            Summarising(Summariser(model, counter=counter, clock=clock), clock=clock, count=count),
            Extracting(stores.facts, Extractor(model, count=counter.text, clock=clock), clock=clock, count=count),
            Indexing(stores.history, stores.index, embedder, tokens=len, clock=clock, count=count),
        )
        self.working = Working(stores, self.parts, settings=settings, clock=clock, count=count)

    def count(self, metric: Metric, value: float = 1, *, reason: str = "") -> None:
        self.counted[f"{metric.value} {reason}".strip()] += int(value)

    async def talk(self, *texts: str, at: Address = HERE) -> Head:
        for words in texts:
            before = await self.under.leases.take(at, lease(until=self.clock.now + 9), create=True)
            add_ons = parse_add_ons(merge_settings(self.settings, before.memory))
            turn = commit(
                message(words),
                message("I see.", "assistant"),
                unfolded=Unfolded(400, 2),
                quiet_from=quiet_from(before, add_ons, self.clock.now),
            )
            head = await self.under.history.commit(before, turn, token=TOKEN)
        return head

    async def memory(self) -> Memory:
        found = await self.under.long_term.read(await self.under.history.head(HERE))
        return found or Memory("")

    async def facts(self) -> Sequence[str]:
        known = await self.under.facts.of_user(HERE.user)
        return [one.newest.object for one in resolved(known.assertions, known.tombstones)]

    async def indexed(self) -> int:
        return (await self.under.index.stats(Indexed.of(await self.under.history.head(HERE)))).turns


async def test_all_parts_are_read_once_asked_side_by_side_and_written_in_one_transaction() -> None:
    world = World()
    await world.talk("I live in Paris", "b", "c", "d")
    world.provider.gate = asyncio.Event()
    folding = asyncio.ensure_future(world.working.work())
    while len(world.provider.asked) < 3:
        await asyncio.sleep(0)
    assert sorted(world.provider.asked) == ["embeddings", "memory_facts", "memory_summary"]
    world.provider.gate.set()
    assert await folding
    memory = await world.memory()
    assert (memory.folds, memory.covers_up_to, memory.facts_up_to, memory.indexed_up_to) == (1, 4, 4, 6)
    assert (memory.summary.text, await world.facts(), await world.indexed()) == ("notes", ["Paris"], 3)
    assert len(world.provider.asked) == 3
    reads = ("history.head", "history.items", "long_term.read", "long_term.change")
    assert {name: world.calls[name] for name in reads} == dict.fromkeys(reads, 1)
    assert world.counted["Folds"] == 1


@pytest.mark.parametrize("bad", [UpstreamError("down"), text("no facts!")])
async def test_facts_that_fail_are_put_off_and_lose_no_summary(bad: Any) -> None:
    world = World()
    world.provider.script = {"memory_facts": [bad]}
    await world.talk("I live in Paris", "b", "c", "d")
    assert not await world.working.work()
    memory = await world.memory()
    assert (memory.folds, memory.covers_up_to, memory.facts_up_to, memory.indexed_up_to) == (1, 4, 0, 6)
    assert (memory.attempts, memory.facts_attempts) == (0, 1)
    assert memory.last_error.startswith("facts_")
    assert (await world.under.history.head(HERE)).fold_after == 0  # the summary is held up by nothing
    assert not await world.working.work()
    assert world.provider.asked.count("memory_facts") == 1
    await world.talk("e", "f")
    assert not await world.working.work()
    assert (await world.memory()).covers_up_to == 8
    world.clock.now = memory.facts_after + 1
    assert await world.working.work()
    memory = await world.memory()
    assert (memory.facts_up_to, memory.facts_attempts, memory.last_error) == (8, 0, "")
    assert await world.facts() == ["Paris"]


@pytest.mark.parametrize("bad", [UpstreamError("down"), written("")])
async def test_a_summary_that_fails_is_put_off_and_loses_no_facts(bad: Any) -> None:
    world = World()
    world.provider.script = {"memory_summary": [bad]}
    await world.talk("I live in Paris", "b", "c", "d")
    assert not await world.working.work()
    memory = await world.memory()
    assert (memory.folds, memory.covers_up_to, memory.facts_up_to, memory.indexed_up_to) == (1, 0, 4, 6)
    assert (memory.attempts, memory.facts_attempts) == (1, 0)
    head = await world.under.history.head(HERE)
    assert head.fold_after > world.clock.now
    assert (await world.facts(), await world.indexed()) == (["Paris"], 3)
    world.clock.now = head.fold_after
    assert await world.working.work()
    assert (await world.memory()).covers_up_to == 4
    assert Counter(world.provider.asked)["memory_facts"] == 1


async def test_both_that_fail_write_no_fold() -> None:
    world = World({**ALL, "recall": None})
    world.provider.script = {"memory_summary": [written("")], "memory_facts": [text("none")]}
    await world.talk("I live in Paris", "b", "c", "d")
    assert not await world.working.work()
    memory = await world.memory()
    assert (memory.folds, memory.attempts, memory.facts_attempts, memory.last_error) == (0, 1, 1, "blank")
    assert (await world.under.history.head(HERE)).unfolded.messages == 8


async def test_a_fault_of_ours_in_one_part_loses_no_other() -> None:
    world = World()
    world.provider.script = {"memory_facts": [RuntimeError("a fault")]}
    await world.talk("I live in Paris", "b", "c", "d")
    with pytest.raises(RuntimeError):
        await world.working.work()
    memory = await world.memory()
    assert (memory.folds, memory.covers_up_to, memory.facts_up_to, memory.indexed_up_to) == (1, 4, 0, 6)
    assert await world.working.work()
    assert await world.facts() == ["Paris"]


async def test_of_two_first_folds_the_late_one_takes_nothing_from_the_other() -> None:
    """What is to be made again is removed only in the state in which nothing was."""
    world = World()
    head = await world.talk("I live in Paris", "b", "c", "d")
    reads: list[asyncio.Event] = [asyncio.Event()]
    port = world.under.facts
    erase = port.erase

    async def late(head: Head) -> int:
        port.erase = erase  # type: ignore[method-assign]
        await reads[0].wait()
        return await erase(head)

    port.erase = late  # type: ignore[method-assign]
    slow = asyncio.ensure_future(world.working.work())
    while port.erase is late:
        await asyncio.sleep(0)
    assert await world.working.work()
    assert (await world.facts(), await world.indexed()) == (["Paris"], 3)
    reads[0].set()
    assert await slow
    assert (await world.facts(), await world.indexed()) == (["Paris"], 3)
    assert (await world.memory()).folds == 1
    assert head.seq == 8


async def test_the_model_has_no_time_that_the_commit_needs() -> None:
    world = World()
    await world.talk("I live in Paris", "b", "c", "d")
    assert await world.working.work(deadline=Deadline.after(20, clock=lambda: 0))
    assert max(world.provider.timeouts) <= 20 - COMMIT_RESERVE


async def test_two_hundred_turns_of_a_hundred_tokens_cost_twenty_calls() -> None:
    """With all of it on at the defaults; none of them is waited for by a turn."""
    world = World({"policy": "summary_window", "entities": True, "knowledge_graph": True, "recall": True})
    add_ons = parse_add_ons(world.settings)
    folding = folding_of(parse_policy(world.settings), add_ons)
    counter = counter_for("gpt-4o")
    for number in range(200):
        before = await world.under.leases.take(HERE, lease(until=world.clock.now + 9), create=True)
        said = message(f"{number} " + "word " * 45), message("well " * 40, "assistant")
        added = unfolded_by(from_items(said), counter.at_most)
        due = makes_due(before, added, folding, world.clock.now)
        head = await world.under.history.commit(before, commit(*said, unfolded=added, due=due), token=TOKEN)
        if due:
            assert await world.working.worker.work(HERE, Deadline.after(60)) == "folded"
    calls = Counter(world.provider.asked)
    assert calls["memory_summary"] + calls["memory_facts"] <= 0.12 * 200
    assert calls["memory_summary"] <= 12
    assert calls["embeddings"] == head.folds
    assert (await world.memory()).covers_up_to > 300
