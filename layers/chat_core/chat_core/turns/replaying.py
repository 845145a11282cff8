"""Answers from what is stored, where a request was answered before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chat_core.cache import Completed
from chat_core.errors import no_response
from chat_core.turns.answer import answer_again
from chat_core.turns.once import find_record

if TYPE_CHECKING:
    from chat_core.deadline import Deadline
    from chat_core.history import Head, IdempotencyRecord, LastTurn
    from chat_core.turns.request import TurnRequest
    from chat_core.turns.sources import Sources


async def replay_of_key(sources: Sources, request: TurnRequest, deadline: Deadline) -> Completed | None:
    """Answer from the idempotency record, where the key came before."""
    if request.keyed is None:
        return None
    found = await deadline.stored(find_record(sources.history, request.keyed))
    if found is None:
        return None
    record, head = found
    return await replay_stored(sources, head, record, deadline)


async def replay_stored(
    sources: Sources, head: Head, turn: LastTurn | IdempotencyRecord, deadline: Deadline
) -> Completed:
    """Answer a turn again as it was committed.

    Raises
    ------
    NotFound
        If its response was deleted since: the turn is there, and is not run again.
    """
    response, items = await deadline.stored(
        asyncio.gather(
            sources.responses.read(head.address.user, head.incarnation, turn.first_seq),
            sources.history.items(head, turn.first_seq, turn.last_seq),
        )
    )
    if response is None:
        raise no_response()
    return Completed(answer_again(response, items), {"Idempotent-Replayed": "true"})
