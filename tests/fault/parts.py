"""The core on stores that can fail, stall and die at any call: one `Process` is one Lambda environment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from chat_core.cache.access import CacheAccess
from chat_core.cache.flow import CacheFlow, Provider
from chat_core.cache.replies import Replies
from chat_core.conversations.erasure import Erasure
from chat_core.conversations.fork import Forks
from chat_core.conversations.memory import ConversationMemory
from chat_core.conversations.resources import Conversations
from chat_core.conversations.responses import Responses
from chat_core.deadline import Deadline
from chat_core.errors import CacheUnavailable, StoreUnavailable
from chat_core.hot.copies import HotCopies
from chat_core.keys.space import KeySpace
from chat_core.long_term.folding import (
    Embedder,
    Extracting,
    Extractor,
    Indexing,
    MemoryWorker,
    Stores,
    StructuredModel,
    Summariser,
    Summarising,
)
from chat_core.tokens import counter_for
from chat_core.turns.calls import Calls
from chat_core.turns.keeping import Keeping
from chat_core.turns.lease import TurnLeases
from chat_core.turns.parts import TurnParts
from chat_core.turns.service import TurnService
from chat_core.turns.sources import Sources
from tests.fakes.branches import InMemoryBranches
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryConversations, InMemoryHistory, InMemoryTable
from tests.fakes.leases import InMemoryLeases
from tests.fakes.long_term import InMemoryLongTermStore
from tests.fakes.momento import InMemoryMemoryStore, InMemoryResponseCache
from tests.fakes.recall import InMemoryRecallIndex
from tests.fakes.responses import InMemoryResponses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.virtual_time import VirtualLoop

Action = Literal["die before", "die after", "refuse", "lose answer", "jump", "yield"]
HOT_MESSAGES = 6
LEASE_SECONDS = 40.0
BUFFER: Mapping[str, Any] = {"policy": "buffer"}


class Dead(BaseException):
    """The environment was killed: nothing that it does from now on has an effect."""


@dataclass
class World:
    """What survives an environment: the stores, the model, the time."""

    loop: VirtualLoop
    skew: float = 0.0
    model: RecordingModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = RecordingModel()
        self.table = InMemoryTable(self.clock)
        self.history: Any = InMemoryHistory(self.table)
        self.leases: Any = InMemoryLeases(self.table)
        self.conversations: Any = InMemoryConversations(self.table)
        self.long_term: Any = InMemoryLongTermStore(self.table)
        self.index: Any = InMemoryRecallIndex(self.table)
        self.facts: Any = InMemoryFactStore(self.table)
        self.responses: Any = InMemoryResponses(self.table)
        self.branches: Any = InMemoryBranches(self.table)
        self.memory: Any = InMemoryMemoryStore(self.clock)
        self.cache: Any = InMemoryResponseCache(self.clock)

    def clock(self) -> float:
        return self.loop.wall() + self.skew


class RecordingModel:
    """Answers what it was told, and remembers what it has seen."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    async def post(
        self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None
    ) -> dict[str, Any]:
        told = [str(item["content"]) for item in body["input"]]
        self.seen.append(told)
        await asyncio.sleep(0.2)
        content = [{"type": "output_text", "text": told[-1].upper(), "annotations": [], "logprobs": []}]
        return {
            "id": f"resp_{len(self.seen)}",
            "object": "response",
            "status": "completed",
            "model": "recording",
            "output": [{"type": "message", "role": "assistant", "status": "completed", "content": content}],
            "usage": {"total_tokens": 1},
        }


class Faults:
    """What befalls an environment's calls, by their number from 1."""

    def __init__(self, world: World, plan: Mapping[int, Action]) -> None:
        self._world = world
        self._plan = plan
        self._count = 0
        self.calls: list[str] = []
        self.dead = False

    async def around(self, name: str, call: Any, refusal: Exception) -> Any:
        if self.dead:
            raise Dead
        self._count += 1
        self.calls.append(name)
        action = self._plan.get(self._count)
        if action == "yield":
            await asyncio.sleep(0.01)
        if action == "jump":
            self._world.skew += LEASE_SECONDS
        if action == "refuse":
            raise refusal
        if action == "die before":
            self.dead = True
            raise Dead
        result = await call()
        if action == "lose answer":
            raise refusal
        if action == "die after":
            self.dead = True
            raise Dead
        return result


class Faulty:
    """A store through which faults come."""

    def __init__(self, store: Any, faults: Faults, refusal: Exception) -> None:
        self._store, self._faults, self._refusal = store, faults, refusal

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not callable(method):
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._faults.around(name, partial(method, *args, **kwargs), self._refusal)

        return call


def _uncounted(*_: object, **__: object) -> None:
    """Take no metrics."""


class Process:
    """One environment of both functions."""

    def __init__(
        self, world: World, plan: Mapping[int, Action] | None = None, *, settings: Mapping[str, Any] = BUFFER
    ) -> None:
        self._world = world
        self.faults = Faults(world, plan or {})
        down = StoreUnavailable("The history cannot be reached.", retry_after_ms=1000)
        history: Any = Faulty(world.history, self.faults, down)
        memory: Any = Faulty(world.memory, self.faults, CacheUnavailable("unavailable"))
        cache: Any = Faulty(world.cache, self.faults, CacheUnavailable("unavailable"))
        hot = HotCopies(memory, history, keep=HOT_MESSAGES)
        access = CacheAccess(cache, _uncounted)
        keys = KeySpace("http://model")
        provider = Provider(access, world.model, keys, 3600, world.clock)
        self.replies = Replies(CacheFlow(access, _uncounted), provider)
        leases: Any = Faulty(world.leases, self.faults, down)
        store: Any = Faulty(world.conversations, self.faults, down)
        remembered: Any = Faulty(world.long_term, self.faults, down)
        facts: Any = Faulty(world.facts, self.faults, down)
        branches: Any = Faulty(world.branches, self.faults, down)
        responses: Any = Faulty(world.responses, self.faults, down)
        sources = Sources(history, remembered, facts, responses)
        waiting = TurnLeases(leases, lock_wait=10, clock=world.clock)
        at_once = TurnLeases(leases, lock_wait=0, clock=world.clock)
        self.turns = TurnService(TurnParts(sources, waiting, hot, self.replies, settings, world.clock, branches))
        self.conversations = Conversations(store, sources, at_once, hot, default_memory=settings, clock=world.clock)
        index: Any = Faulty(world.index, self.faults, down)
        self.remembered = ConversationMemory(sources, index, default_memory=settings)
        self.erasure = Erasure(history, store, hot, facts, responses)
        self.calls = Calls(self.replies, sources, Keeping(), clock=world.clock, count=_uncounted)
        self.forks = Forks(sources, branches, hot, default_memory=settings, clock=world.clock)
        self.responses = Responses(responses, history, self.erasure)
        counter = counter_for("m")
        model = StructuredModel(world.model, "m")
        summariser = Summariser(model, counter=counter, clock=world.clock)
        extractor = Extractor(model, count=counter.text, clock=world.clock)
        self.worker = MemoryWorker(
            Stores(history, remembered, index, facts),
            [
                Summarising(summariser, clock=world.clock, count=_uncounted),
                Extracting(facts, extractor, clock=world.clock, count=_uncounted, history=history),
                Indexing(history, index, Embedder(world.model, ""), tokens=len, clock=world.clock, count=_uncounted),
            ],
            counter=counter,
            default_memory=settings,
            clock=world.clock,
            count=_uncounted,
        )

    def deadline(self, seconds: float = 28.0) -> Deadline:
        return Deadline.after(seconds, clock=self._world.loop.time)
