"""The chat function, but for its end: it kills its own environment at the point that the conversation's name says.

A name ``kill:before:commit`` ends the process by SIGKILL before the first call of ``commit``, once; a branch has that
of its origin. The lease of a turn that is killed is short, and so is the time to come again: both are waited for as
ever, but not for half a minute.

A file ``next`` in the folder `KILLED` ends whichever process takes it away, at any step; `SHORT_LEASES` are the seconds
of every turn's lease then.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import count as numbered
from pathlib import Path
from typing import Any

from chat import handler
from chat.handler import lambda_handler, streaming_handler
from chat.wiring import ChatParts, chat_on
from chat_core.hot.copies import HotCopies
from chat_core.momento import MomentoResponseCache
from chat_core.turns import lease as leases_of_turns

__all__ = ["lambda_handler", "streaming_handler"]


LEASE_SECONDS = 1.0
SHORT_LEASES = float(os.environ.get("SHORT_LEASES") or 0)
STEP_SHARE = 0.15
leases_of_turns.FIRST_TURN_GUESS = 0.2


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
            if name in ("take", "read_memory", "branch"):
                Killing.conversation = args[0].conversation
            if name == "put":  # a response without a conversation says by its metadata where it ends
                Killing.conversation = args[0].frame["metadata"].get("ends", "")
            if name == "take" and (seconds := LEASE_SECONDS if _is_doomed() else SHORT_LEASES):
                address, lease = args
                args = (address, replace(lease, expires_at=time.time() + seconds))
            _kill_at("before", name)
            if kwargs.get("tell") is not None:
                kwargs["tell"] = _killing(kwargs["tell"])
            result = await found(*args, **kwargs)
            _kill_at("after", name)
            return result

        return call


def _killing(tell: Any) -> Any:
    """Hand on a stream's events, and kill at one of them: its point is named for its number, from 0."""
    numbers = numbered(0)

    def told(event: Any) -> None:
        _kill_at("event", str(next(numbers)))
        tell(event)

    return told


def _is_doomed() -> bool:
    """Tell whether this environment is yet to be killed."""
    name = Killing.conversation
    return name.startswith("kill:") and not (Path(os.environ["KILLED"]) / name).exists()


def _kill_at(when: str, name: str) -> None:
    _kill_anywhere()
    point = f"kill:{when}:{name}"
    if Killing.conversation != point:
        return
    try:
        (Path(os.environ["KILLED"]) / point).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_anywhere() -> None:
    if random.random() < STEP_SHARE:  # which step it is matters to nobody
        with suppress(FileNotFoundError):
            (Path(os.environ["KILLED"]) / "next").unlink()
            os.kill(os.getpid(), signal.SIGKILL)


@cache
def parts() -> ChatParts:
    made = handler.parts()
    history: Any = Killing(made.stores.history)
    leases: Any = Killing(made.stores.leases)
    branches: Any = Killing(made.stores.branches)
    responses: Any = Killing(made.stores.responses)
    memory: Any = Killing(made.stores.hot._store)
    cache: Any = Killing(MomentoResponseCache(made.stores.cache))
    model: Any = Killing(made.model)
    hot = HotCopies(memory, history, keep=made.settings.history.hot_messages)
    stores = replace(made.stores, history=history, leases=leases, hot=hot, branches=branches, responses=responses)
    return chat_on(made.settings, stores, model, cache)


handler.app.dependency_overrides[handler.parts] = parts
