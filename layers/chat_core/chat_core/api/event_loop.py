"""One event loop per environment.

A Momento client is bound to the loop it was made in: under a second ``asyncio.run`` it answers every call with an
error. So the loop is made on first use and lives as long as the process.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the environment's loop and return what it returns."""
    return _loop().run_until_complete(coroutine)


def close() -> None:
    """Close the loop, where a process outlives its environment: in tests. The next call makes a new one."""
    _loop().close()
    _loop.cache_clear()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()
