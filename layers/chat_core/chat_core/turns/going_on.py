"""Turns that go on from a response: behind it where nothing came after it, on a branch of its own otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import ConversationLocked, InvalidRequest, NotFound
from chat_core.history import Commit, Head
from chat_core.hot import Known
from chat_core.keys import parse_response_id, unnamed_address
from chat_core.long_term import unfolded_by
from chat_core.memory import pinned_item
from chat_core.messages import Turn, from_items, upstream_items
from chat_core.timing import timed
from chat_core.tokens import counter_for
from chat_core.turns.answer import new_turn_id, title_of
from chat_core.turns.answering import Standing, answer_turn
from chat_core.turns.branching import branch_off, end_of_unnamed, point_in
from chat_core.turns.brought_up import begin_question
from chat_core.turns.following import committed
from chat_core.turns.turn import OpenTurn

if TYPE_CHECKING:
    from chat_core.cache import Completed, Listener
    from chat_core.deadline import Deadline
    from chat_core.history import StoredResponse
    from chat_core.messages import Item
    from chat_core.turns.branching import Point
    from chat_core.turns.following import Change
    from chat_core.turns.parts import TurnParts
    from chat_core.turns.request import TurnRequest

PARAM = "previous_response_id"


def not_found() -> InvalidRequest:
    """Say that there is no response to go on from, in the same words for whatever reason."""
    return InvalidRequest("There is no previous response of this id.", param=PARAM, code="previous_response_not_found")


async def locate(parts: TurnParts, request: TurnRequest) -> StoredResponse:
    """Find the response that a request goes on from; one without a conversation gets one.

    Raises
    ------
    InvalidRequest
        If there is none.
    """
    found = await _find(parts, request.address.user, request.previous)
    if found.conversation:
        return found
    head, commit = _as_conversation(parts, found)
    await parts.branches.adopt(found, head, commit)
    return replace(found, conversation=head.conversation, items=())


async def items_up_to(parts: TurnParts, user: str, previous: str, deadline: Deadline) -> list[Item]:
    """Read a response with all that came before it, as a model is sent it.

    Raises
    ------
    InvalidRequest
        If there is none, or that is more than a branch takes along.
    """
    found = await deadline.stored(_find(parts, user, previous))
    if not found.conversation:
        return upstream_items(from_items(found.items))
    try:
        return upstream_items((await point_behind(parts, found, deadline)).messages)
    except NotFound:
        raise not_found() from None


async def _find(parts: TurnParts, user: str, previous: str | None) -> StoredResponse:
    parsed = parse_response_id(previous)
    found = await parts.sources.responses.read(user, *parsed) if parsed else None
    if found is None or not found.shown:
        raise not_found()
    return found


def _as_conversation(parts: TurnParts, response: StoredResponse) -> tuple[Head, Commit]:
    """Make the conversation that a call without one begins: its items are its first turn."""
    now, messages = parts.clock(), from_items(response.items)
    head = Head(
        unnamed_address(response.user, response.incarnation),
        response.incarnation,
        created_at=response.created_at,
        updated_at=now,
        ends_at=end_of_unnamed(response.created_at, parts.keeping.seconds),
    )
    commit = Commit(
        turn=Turn(response.turn_id, response.items, response.created_at),
        inputs=response.inputs,
        messages=len(messages),
        frame=response.frame,
        kept_until=response.expires_at,
        system=pinned_item(messages, None),
        title=title_of(messages),
        unfolded=unfolded_by(messages, counter_for("").at_most),
    )
    return head, commit


async def open_behind(
    parts: TurnParts, request: TurnRequest, response: StoredResponse, deadline: Deadline
) -> OpenTurn | Completed | None:
    """Begin a turn right behind a response.

    Returns
    -------
    OpenTurn, Completed or None
        The turn; the answer, where this request is the SDK's own retry of one that is answered; None where something
        came after the response, or is about to.

    Raises
    ------
    NotFound
        If the conversation was erased.
    """
    if response.address != unnamed_address(response.user, response.incarnation):
        return None
    try:
        turn = await OpenTurn.open(parts, request, deadline, wait=False)
    except ConversationLocked:
        return None
    lasts = (turn.head.ends_at or 0) >= parts.clock() + parts.keeping.seconds
    if turn.head.seq == response.last_seq and lasts:
        return turn
    try:
        return await turn.replay()
    finally:
        await turn.close()


async def point_behind(parts: TurnParts, response: StoredResponse, deadline: Deadline) -> Point:
    """Read the conversation up to a response.

    Raises
    ------
    NotFound
        If it was erased.
    InvalidRequest
        If that is more than a branch takes along.
    """
    origin = await deadline.stored(parts.history.head(response.address))
    if origin.incarnation != response.incarnation:
        raise NotFound("The conversation is another one by now.")
    reading = point_in(parts.sources, origin, response.last_seq, param=PARAM)
    return await deadline.stored(reading, at_most=deadline.remaining())


async def branched_turn(
    parts: TurnParts, request: TurnRequest, response: StoredResponse, deadline: Deadline, listener: Listener | None
) -> tuple[Completed, Change]:
    """Run a turn on a branch. Nothing is written before the model has answered.

    Raises
    ------
    NotFound
        If the conversation that it branches off from was erased.
    IdempotencyKeyReused
        If another request with the key was faster.
    """
    point = await point_behind(parts, response, deadline)
    place = point.unnamed(parts.clock(), parts.keeping.seconds)
    question = begin_question(parts.sources, request)
    try:
        standing = Standing(point.head(place), place, point.sources(parts.sources), past=point.past, question=question)
        answered = await answer_turn(
            parts, request, deadline, turn_id=new_turn_id(), standing=standing, listener=listener
        )
    finally:
        if question is not None:
            question.close()
    with timed("commit"):
        before, after = await branch_off(parts, point, place, answered.commit, deadline, keyed=request.keyed)
    return committed(answered, before, after, Known(), overtaken=before.items != place.items, branched=True)
