"""Turns on stores in memory, in a time that passes as fast as nothing happens."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from chat_core.cache import Directives
from chat_core.hot.value import unpack
from chat_core.keys import Address
from chat_core.turns import TurnRequest
from tests.fakes.virtual_time import VirtualLoop
from tests.fault.parts import BUFFER, Process, World

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from chat_core.cache import Completed
    from chat_core.history import Head
    from chat_core.hot import MemoryState

HERE = Address("user", "chat")
T = TypeVar("T")


def asked(text: str, *, model: str = "m", memory: Mapping[str, Any] | None = None, retries: int = 0) -> TurnRequest:
    """Make a request for a turn."""
    return TurnRequest(
        address=HERE,
        body={"model": model},
        input=({"type": "message", "role": "user", "content": text},),
        memory=memory,
        directives=Directives(),
        fingerprint=sha256(text.encode()).hexdigest(),
        retry_count=retries,
    )


class Stage:
    """One environment of both functions, and what survives it."""

    def __init__(self, runner: asyncio.Runner, settings: Mapping[str, Any]) -> None:
        self._runner = runner
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        self.world = World(loop)
        self.process = Process(self.world, settings=settings)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def turn(self, text: str, **asks: Any) -> Completed:
        return await self.process.turns.run(asked(text, **asks), self.process.deadline())

    async def head(self) -> Head:
        head: Head = await self.world.history.head(HERE)
        return head

    async def texts(self) -> list[str]:
        items = await self.world.history.items(await self.head(), 1, 1_000)
        return [stored.item["content"][0]["text"] for stored in items]

    async def value(self) -> MemoryState | None:
        value = await self.world.memory.read_memory(HERE, timeout=1)
        return unpack(value) if value else None


@contextmanager
def staged(settings: Mapping[str, Any] = BUFFER) -> Iterator[Stage]:
    """Make a stage."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield Stage(runner, settings)
