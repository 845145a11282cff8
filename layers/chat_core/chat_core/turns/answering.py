"""A turn's answer: the model asked with the memory's view, and what the history is to get of it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from chat_core.history import Commit
from chat_core.keys import response_id
from chat_core.long_term import folding_of, makes_due, quiet_from, unfolded_by
from chat_core.memory import merge_settings, parse_turn_settings
from chat_core.messages import Turn, from_items, stored_item
from chat_core.timing import timed
from chat_core.turns.answer import Told, frame_of, title_of
from chat_core.turns.asking import COMMIT_RESERVE, MODEL_MINIMUM, ask_model, check_time
from chat_core.turns.context import Asked, turn_context
from chat_core.turns.once import with_record
from chat_core.turns.retold import Places, Retold
from chat_core.turns.returnable import check_returnable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from chat_core.cache import Listener
    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.hot import MemoryState
    from chat_core.long_term.question import Question
    from chat_core.memory import Kept
    from chat_core.turns.context import TurnContext
    from chat_core.turns.parts import TurnParts
    from chat_core.turns.past import Past
    from chat_core.turns.request import TurnRequest
    from chat_core.turns.sources import Sources


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a turn stands.

    Parameters
    ----------
    head
        What its view is read of.
    place
        What its items are to go behind: the same, or the head of a conversation that is still to be made of it.
    sources
        What its view is made of.
    state, past, question
        The memory value, if it is believed; what was read already; what the input asks of recall.
    renewed
        Keeps the lease while the model is asked.
    """

    head: Head
    place: Head
    sources: Sources
    state: MemoryState | None = None
    past: Past | None = None
    question: Question | None = None
    renewed: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)


class Answered(NamedTuple):
    """A turn that the model has answered.

    Parameters
    ----------
    commit
        What the history is to get.
    context, kept
        The turn's view, and what the next one may need of the history.
    headers
        What the answer's headers tell of the cache.
    """

    commit: Commit
    context: TurnContext
    kept: Kept
    headers: Mapping[str, str]


async def answer_turn(
    parts: TurnParts,
    request: TurnRequest,
    deadline: Deadline,
    *,
    turn_id: str,
    standing: Standing,
    listener: Listener | None,
) -> Answered:
    """Ask the model, with the memory's view of the conversation.

    Raises
    ------
    AnswerTooLarge
        If nobody could read the answer once it is in the history.
    """
    head, place = standing.head, standing.place
    check_time(deadline)
    settings = parse_turn_settings(merge_settings(parts.default_memory, head.memory), request.memory)
    asked = Asked(request.input, request.body, past=standing.past, question=standing.question)
    reading = turn_context(standing.sources, head, asked, memory=settings, state=standing.state)
    reserve = COMMIT_RESERVE + MODEL_MINIMUM
    with timed("view"):
        context = await deadline.stored(reading, at_most=deadline.remaining(), reserve=reserve)
    told = Told(turn_id, context.report, own_members(parts, request, place))
    if listener is not None:
        members = {"id": response_id(place.incarnation, place.seq + 1), **told.announced}
        listener = Retold(listener, members, Places(place.incarnation, place.seq + len(context.given) + 1))
    call = request.call(context.input, personal=context.is_personal)
    async with standing.renewed:
        reply = await ask_model(parts.replies, call, deadline, alone=head.seq > 0, listener=listener)
    output = [stored_item(item) for item in reply.response["output"]]
    check_returnable(output)
    now = parts.clock()
    turn = Turn(turn_id, (*context.given, *output), int(now))
    added = from_items(turn.items, turn_id=turn.id, created_at=turn.created_at, first_seq=place.seq + 1)
    unfolded = unfolded_by(added, context.counter.at_most)
    shown = is_shown(parts, request)
    commit = Commit(
        turn=turn,
        inputs=len(context.given),
        messages=len(added),
        fingerprint=request.fingerprint,
        frame=frame_of(reply, told),
        kept_until=parts.keeping.until(now, shown=shown),
        shown=shown,
        system=context.system,
        title=place.title or title_of(added),
        unfolded=unfolded,
        due=makes_due(place, unfolded, folding_of(settings.stored, settings.stored_add_ons), now),
        quiet_from=quiet_from(place, settings.stored_add_ons, now),
    )
    kept = context.keep(settings.stored, added)
    commit = with_record(replace(commit, anchor=kept.anchor), request.keyed, place, now)
    return Answered(commit, context, kept, reply.headers)


def own_members(parts: TurnParts, request: TurnRequest, place: Head) -> dict[str, Any]:
    """Tell the members of a response that are not the model's to say."""
    own: dict[str, Any] = {"store": is_shown(parts, request)}
    if request.previous is not None:
        # Nobody is told the name of a conversation that has none.
        return {**own, "previous_response_id": request.previous}
    return {**own, "conversation": {"id": place.conversation}}


def is_shown(parts: TurnParts, request: TurnRequest) -> bool:
    """Whether the answer may be read later."""
    return parts.keeping.on and request.store
