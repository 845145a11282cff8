"""An environment in this process that ends when it has written to its stores so often."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.api import event_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault.conftest import World


READING = frozenset({"get_item", "batch_get_item", "query", "read_memory"})


class Killed(BaseException):
    """The environment ended here."""


@dataclass
class Life:
    """How long an environment lives.

    Parameters
    ----------
    step
        After which write it ends.
    writes
        How many it has made.
    """

    step: int
    writes: int = 0

    def around(self, call: Any, name: str = "") -> Any:
        """Count a call, named or by its first argument, if it writes; one that is dead makes none."""

        async def counting(*args: Any, **kwargs: Any) -> Any:
            if self.writes >= self.step:
                raise Killed
            answer = await call(*args, **kwargs)
            self.writes += (name or args[0]) not in READING
            if self.writes >= self.step:
                raise Killed
            return answer

        return counting


class _Mortal:
    def __init__(self, store: Any, life: Life) -> None:
        self._store, self._life = store, life

    def __getattr__(self, name: str) -> Any:
        return self._life.around(getattr(self._store, name), name)


@contextmanager
def dying(world: World, step: int) -> Iterator[Life]:
    """End an environment once it has written to the table, or of a conversation's copies to Momento, ``step`` times."""
    life, table, hot = Life(step), world.stores.table, world.stores.hot
    call, copies = table._call, hot._store
    table._call, hot._store = life.around(call), _Mortal(copies, life)  # type: ignore[method-assign]
    try:
        yield life
    except Killed:
        event_loop.run(_end_all())
    finally:
        table._call, hot._store = call, copies  # type: ignore[method-assign]


async def _end_all() -> None:
    """End what an environment that is dead had still under way."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
