"""What comes after a commit: the answer as the history has it, and the copies that follow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from chat_core.cache import Completed
from chat_core.hot import Known, MemoryState
from chat_core.keys import response_id
from chat_core.timing import timed
from chat_core.turns.answer import answer_of, as_committed
from chat_core.turns.sources import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.messages import Message
    from chat_core.turns.answering import Answered
    from chat_core.turns.parts import TurnParts

# Seconds at the end of an invocation: after the commit (see `asking`) the copies follow, then the answer goes.
FOLLOW_RESERVE = 1.5
ANSWER_RESERVE = 0.5
FOLLOW_TIMEOUT = 2.5


class Change(NamedTuple):
    """What a commit made of its conversation, for the copies to follow.

    Parameters
    ----------
    before, after
        The head that the commit was made on, and the one that it made.
    messages
        What it added.
    known, state
        See `HotCopies.follow`.
    """

    before: Head
    after: Head
    messages: Sequence[Message]
    known: Known
    state: MemoryState | None


def committed(
    answered: Answered, before: Head, after: Head, known: Known, *, overtaken: bool, branched: bool = False
) -> tuple[Completed, Change]:
    """Tell a turn's answer and its change, once it is in the history.

    Parameters
    ----------
    known
        The copies of ``before``.
    overtaken
        Whether another turn came between: what this one knew and would keep is of another history.
    branched
        Whether it began a branch.
    """
    items, messages = as_committed(answered.commit.turn, after)
    name = response_id(before.incarnation, before.seq + 1)
    output = [stored.item for stored in items[answered.commit.inputs :]]
    answer = answer_of(name, answered.commit.frame, output)
    completed = Completed(answer, answered.headers)
    if overtaken:
        return completed, Change(before, after, messages, Known(None, known.reachable), None)
    context = answered.context
    # What a branch has of long-term memory is its own from now on, and read anew.
    own = not branched
    state = MemoryState(
        after.incarnation,
        after.seq,
        after.edits,
        answered.kept,
        tokens=context.counts.by_seq,
        encoding=context.counter.encoding,
        folds=context.remembered.folds if own else UNKNOWN,
        facts=context.facts if own else None,
    )
    return completed, Change(before, after, messages, known, state)


async def follow(parts: TurnParts, change: Change, deadline: Deadline) -> None:
    """Bring the copies up to the commit."""
    hot = parts.hot
    try:
        with timed("append"):
            async with asyncio.timeout(min(FOLLOW_TIMEOUT, deadline.remaining(reserve=ANSWER_RESERVE))):
                await hot.follow(change.before, change.after, change.messages, known=change.known, kept=change.state)
    except TimeoutError:
        # Half written at worst: without them the next turn makes them anew.
        await hot.forget(change.after.address)
