"""What the tests of the stores on Momento share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from chat_core.errors import CacheUnavailable
from chat_core.keys import Address
from chat_core.momento import (
    MomentoCredentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from chat_core.cache.store import ResponseCache
    from chat_core.hot.store import MemoryStore
    from local.momento import EmbeddedMomento

T = TypeVar("T")

CACHE = "omoide"
USER, TALK = "naomi", "talk-1"
HERE = Address(USER, TALK)
SECONDS = 5.0
SOON = 0.2
TTL = 3_600


class Run(Protocol):
    def __call__(self, call: Coroutine[Any, Any, T], /) -> T: ...


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Credentials:
    """A source of credentials that notes how it is asked."""

    def __init__(self, server: EmbeddedMomento) -> None:
        self.given: MomentoCredentials | Exception = MomentoCredentials(local=f"127.0.0.1:{server.port}")
        self.asked: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, *, refresh: bool) -> MomentoCredentials:
        self.asked.append(refresh)
        self.gate.wait(SECONDS)
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@dataclass
class Stores:
    """Both stores of one kind, and how to look behind them."""

    memory: MemoryStore
    replies: ResponseCache
    history: Callable[[], list[str]]


def reason(run: Run, call: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(CacheUnavailable) as caught:
        run(call)
    return caught.value.reason


# The hot list


def append(stores: Stores, *elements: str, keep: int = 200) -> Coroutine[Any, Any, int]:
    return stores.memory.append_history(HERE, elements, keep=keep, timeout=SECONDS)


# Faults


def calls(stores: Stores, timeout: float) -> list[Coroutine[Any, Any, object]]:
    return [
        stores.memory.read_memory(HERE, timeout=timeout),
        stores.memory.write_memory(HERE, b"1", timeout=timeout),
        stores.memory.append_history(HERE, ["1"], keep=9, timeout=timeout),
        stores.memory.replace_history(HERE, ["1"], timeout=timeout),
        stores.memory.replace_history(HERE, [], timeout=timeout),
        stores.memory.forget(HERE, timeout=timeout),
        stores.replies.get("llm:1", timeout=timeout),
        stores.replies.set("llm:1", b"1", ttl=9, timeout=timeout),
        stores.replies.set_if_absent("llm:1", b"1", ttl=9, timeout=timeout),
        stores.replies.delete("llm:1", timeout=timeout),
    ]
