"""The chat function, but for its end: it kills its own environment at the point that the conversation's name says.

A name ``kill:before:commit`` ends the process by SIGKILL before the first call of ``commit``, once.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chat import handler
from chat.handler import lambda_handler, streaming_handler
from chat.wiring import make_replies, make_turn_service
from chat_core.cache.access import CacheAccess
from chat_core.hot.copies import HotCopies
from chat_core.momento import MomentoResponseCache
from chat_core.observability import count

if TYPE_CHECKING:
    from chat_core.turns.service import TurnService

__all__ = ["lambda_handler", "streaming_handler"]


class Killing:
    """A part of the turn that may be the last thing that the process sees."""

    conversation = ""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            if name in ("take", "read_memory"):
                Killing.conversation = args[0].conversation
            _kill_at("before", name)
            result = await found(*args, **kwargs)
            _kill_at("after", name)
            return result

        return call


def _kill_at(when: str, name: str) -> None:
    point = f"kill:{when}:{name}"
    if Killing.conversation != point:
        return
    try:
        (Path(os.environ["KILLED"]) / point).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@cache
def turn_service() -> TurnService:
    settings = handler.settings()
    stores = handler.stores()
    history: Any = Killing(stores.history)
    leases: Any = Killing(stores.leases)
    memory: Any = Killing(stores.hot._store)
    cache: Any = Killing(MomentoResponseCache(stores.cache))
    model: Any = Killing(handler.model())
    replies = make_replies(settings, CacheAccess(cache, count), model)
    hot = HotCopies(memory, history, keep=settings.history.hot_messages)
    return make_turn_service(settings, replace(stores, history=history, leases=leases, hot=hot), replies)


handler.app.dependency_overrides[handler.turn_service] = turn_service
