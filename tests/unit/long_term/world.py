"""One conversation with its worker, on stores in memory, with a model that writes notes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from chat_core.deadline import Deadline
from chat_core.history import Commit, Lease, Unfolded
from chat_core.keys import Address
from chat_core.long_term.folding import MemoryWorker, Stores, StructuredModel, Summariser, Summarising
from chat_core.messages import Turn
from chat_core.tokens import counter_for
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryConversations, InMemoryHistory, InMemoryTable
from tests.fakes.leases import InMemoryLeases
from tests.fakes.long_term import InMemoryLongTermStore
from tests.fakes.recall import InMemoryRecallIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Head
    from chat_core.keys import Endpoint
    from chat_core.long_term import Memory
    from chat_core.model import Tell
    from chat_core.observability import Metric

HERE = Address("user", "chat")
SETTINGS = {"policy": "summary_window", "trigger_messages": 6, "keep": 4}


def written(text: str) -> dict[str, Any]:
    said = json.dumps({"language": "en", "summary": text})
    return {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": said}]}]}


class Notetaker:
    """A model that answers what it is told to, else a summary of how many items it was given."""

    def __init__(self) -> None:
        self.script: list[dict[str, Any] | Exception] = []
        self.asked: list[Mapping[str, Any]] = []
        self.gate: asyncio.Event | None = None

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        self.asked.append(body)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.script.pop(0) if self.script else written(f"notes {len(self.asked)}")
        if isinstance(answer, Exception):
            raise answer
        return answer


class World:
    """One conversation, its worker, and a clock."""

    def __init__(self, settings: Mapping[str, Any] = SETTINGS) -> None:
        self.now = 1_700_000_000.0
        self.table = InMemoryTable(lambda: self.now)
        self.history = InMemoryHistory(self.table)
        self.conversations = InMemoryConversations(self.table)
        self.store = InMemoryLongTermStore(self.table)
        self.model = Notetaker()
        self.counts: list[tuple[str, str]] = []
        asked, counter = StructuredModel(self.model, "a-model"), counter_for("gpt-4.1-mini")
        summariser = Summariser(asked, counter=counter, clock=lambda: self.now)
        self.worker = MemoryWorker(
            Stores(self.history, self.store, InMemoryRecallIndex(self.table), InMemoryFactStore(self.table)),
            [Summarising(summariser, clock=lambda: self.now, count=self._count)],
            counter=counter,
            default_memory=settings,
            clock=lambda: self.now,
            count=self._count,
        )

    def _count(self, metric: Metric, value: float = 1, *, reason: str = "") -> None:
        self.counts.append((metric, reason))

    async def turns(self, count: int, *, text: str = "question", due: bool = True) -> Head:
        leases = InMemoryLeases(self.table)
        for _ in range(count):
            head = await leases.take(HERE, Lease("t", self.now + 30), create=True)
            items = tuple(
                {"type": "message", "role": role, "content": f"{text} {head.seq + place}"}
                for place, role in enumerate(("user", "assistant"), 1)
            )
            commit = Commit(Turn("turn", items, int(self.now)), 1, 2, due=due, unfolded=Unfolded(40, 2))
            head = await self.history.commit(head, commit, token="t")
        return head

    async def work(self) -> str:
        return await self.worker.work(HERE, Deadline.after(60))

    async def model_is_asked(self, *, times: int = 1) -> None:
        """Let others go on until the model has been asked so often."""
        while len(self.model.asked) < times:
            await asyncio.sleep(0)

    async def memory(self) -> Memory:
        found = await self.store.read(await self.history.head(HERE))
        assert found is not None
        return found
