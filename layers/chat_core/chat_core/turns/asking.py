"""The model's part of a turn, and the time that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core import errors

if TYPE_CHECKING:
    from chat_core.cache import Listener, ModelCall, Replies, Reply
    from chat_core.deadline import Deadline

COMMIT_RESERVE = 5.0
"""Seconds at the end of an invocation in which what was paid is committed."""

MODEL_MINIMUM = 1.0


def check_time(deadline: Deadline) -> None:
    """Refuse to go on where there is no time for a model.

    Raises
    ------
    DeadlineExceeded
        Before anything is read or paid for in vain.
    """
    if deadline.remaining(reserve=COMMIT_RESERVE) < MODEL_MINIMUM:
        raise errors.DeadlineExceeded("The turn's time was spent before the model was asked; nothing was stored.")


async def ask_model(
    replies: Replies, call: ModelCall, deadline: Deadline, *, alone: bool, listener: Listener | None = None
) -> Reply:
    """Get the model's reply, and leave time to store it.

    Raises
    ------
    DeadlineExceeded
        If there is no time for a model, or it took longer than there was.
    """
    check_time(deadline)
    timeout = deadline.remaining(reserve=COMMIT_RESERVE)
    try:
        return await replies.respond(call, timeout=timeout, alone=alone, listener=listener)
    except errors.UpstreamTimeout:
        raise errors.DeadlineExceeded("The model took longer than a turn may; nothing was stored.") from None
