"""Answers from what is stored, where a request was answered before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.cache import Completed
from chat_core.turns.answer import answer_again
from chat_core.turns.once import find_record

if TYPE_CHECKING:
    from chat_core.deadline import Deadline
    from chat_core.history import Head, History, IdempotencyRecord, LastTurn
    from chat_core.turns.request import TurnRequest


async def replay_of_key(history: History, request: TurnRequest, deadline: Deadline) -> Completed | None:
    """Answer from the idempotency record, where the key came before."""
    if request.keyed is None:
        return None
    found = await deadline.stored(find_record(history, request.keyed))
    if found is None:
        return None
    record, head = found
    return await replay_stored(history, head, record, deadline)


async def replay_stored(
    history: History, head: Head, turn: LastTurn | IdempotencyRecord, deadline: Deadline
) -> Completed:
    """Answer a turn again as it was committed."""
    items = await deadline.stored(history.items(head, turn.first_seq, turn.last_seq))
    answer = answer_again(turn.frame, items, first_seq=turn.first_seq, inputs=turn.inputs)
    return Completed(answer, {"Idempotent-Replayed": "true"})
