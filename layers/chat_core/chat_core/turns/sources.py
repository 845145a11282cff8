"""What a view is made of: the history, and what is remembered of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.errors import StoreUnavailable
from chat_core.long_term import notes_of
from chat_core.memory import NO_NOTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.history import Head, History, ResponseStore
    from chat_core.hot import MemoryState
    from chat_core.long_term import FactStore, LongTermStore
    from chat_core.long_term.recaller import Recaller
    from chat_core.memory import MemoryPolicy, Notes, TurnMemory

UNKNOWN = -1
"""Stands for how often long-term memory was written where it could not be read."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a turn reads.

    Parameters
    ----------
    history
        The source of truth.
    long_term
        What is remembered beside it.
    facts
        What is known of the user.
    responses
        The frames of answers.
    recaller
        Finds what an input brings up; None: nobody asks for that here.
    clock
        Seconds since the epoch.
    """

    history: History
    long_term: LongTermStore
    facts: FactStore
    responses: ResponseStore
    recaller: Recaller | None = None
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a turn knows of long-term memory.

    Parameters
    ----------
    notes
        For the view.
    folds
        State of long-term memory that they are of; `UNKNOWN` where it could not be read: the turn goes on without.
    """

    notes: Notes = NO_NOTES
    folds: int = 0


NOTHING_REMEMBERED = Remembered()
"""Nothing was ever written."""

NOT_ASKED = Remembered(folds=UNKNOWN)
"""No policy wants notes; a value that holds none of them is not believed to hold any."""


def known(head: Head, state: MemoryState | None, memory: TurnMemory) -> Remembered | None:
    """Take the notes of the memory value if they are of the head's state; None where they have to be read.

    Parameters
    ----------
    state
        The memory value, believed but for its notes.
    memory
        The turn's settings: where neither the view nor what is kept has a summary, nothing is read.
    """
    if memory.policy.folding is None and memory.stored.folding is None:
        return NOT_ASKED
    if memory.stored.folding is None:
        state = None
    if state is not None and state.folds == head.folds:
        return Remembered(state.kept.earlier.notes, state.folds)
    return None if head.folds or head.edits else NOTHING_REMEMBERED


async def read(sources: Sources, head: Head) -> Remembered:
    """Read the notes; where they cannot be read there are none."""
    try:
        memory = await sources.long_term.read(head)
    except StoreUnavailable:
        return Remembered(folds=UNKNOWN)
    return Remembered(notes_of(memory), head.folds if memory is None else memory.folds)


def notes_for(policy: MemoryPolicy, found: Remembered) -> Notes:
    """Give a policy the notes if it shows any."""
    return found.notes if policy.folding else NO_NOTES
