"""Turns of conversations, whole; this knows neither HTTP nor Lambda."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core import errors
from chat_core.cache import Completed
from chat_core.turns.answer import Told, answer_of, frame_of, new_turn_id
from chat_core.turns.answering import is_shown, own_members
from chat_core.turns.asking import COMMIT_RESERVE, MODEL_MINIMUM, ask_model
from chat_core.turns.context import Asked
from chat_core.turns.explained import explained
from chat_core.turns.following import follow
from chat_core.turns.going_on import branched_turn, items_up_to, locate, not_found, open_behind, point_behind
from chat_core.turns.replaying import replay_of_key
from chat_core.turns.retold import Retold
from chat_core.turns.turn import OpenTurn
from chat_core.turns.unlocked import context_at, effective, unlocked_context

if TYPE_CHECKING:
    from chat_core.cache import Listener
    from chat_core.deadline import Deadline
    from chat_core.history import StoredResponse
    from chat_core.messages import Item
    from chat_core.turns.parts import TurnParts
    from chat_core.turns.request import TurnRequest


class TurnService:
    """Runs turns: one at a time in a conversation, each committed whole or not at all.

    Parameters
    ----------
    parts
        What every turn is made with.
    """

    def __init__(self, parts: TurnParts) -> None:
        self._parts = parts

    async def run(self, request: TurnRequest, deadline: Deadline, listener: Listener | None = None) -> Completed:
        """Run one turn: what it returns is in the history.

        Parameters
        ----------
        deadline
            When the platform ends this invocation; everything inside ends before.
        listener
            Follows what the model makes. All that it hears is provisional until the turn has returned.

        Raises
        ------
        ChatError
            If the turn failed: then it left nothing behind.
        """
        if request.previous is not None:
            return await self._go_on(request, deadline, listener)
        if request.leaves_no_trace:
            return await self._read_only(request, deadline, listener)
        try:
            turn = await OpenTurn.open(self._parts, request, deadline)
        except errors.ConversationLocked:
            if (replay := await replay_of_key(self._parts.sources, request, deadline)) is not None:
                return replay
            raise
        return await self._run_open(turn, listener)

    async def up_to(self, user: str, previous: str, deadline: Deadline) -> list[Item]:
        """Read a response with all that came before it, as a model is sent it.

        Raises
        ------
        InvalidRequest
            If there is none, or that is more than can be gone on from.
        """
        return await items_up_to(self._parts, user, previous, deadline)

    async def _run_open(self, turn: OpenTurn, listener: Listener | None) -> Completed:
        parts, request, deadline = turn.parts, turn.request, turn.deadline
        start = deadline.clock()
        try:
            if (replay := await turn.replay()) is not None:
                return replay
            answered = await turn.answer(listener)
            try:
                completed, change = await turn.commit(answered)
            except errors.IdempotencyKeyReused:
                if (replay := await replay_of_key(parts.sources, request, deadline)) is not None:
                    return replay
                raise
        finally:
            await turn.close()
        parts.leases.learn(deadline.clock() - start)
        await follow(parts, change, deadline)
        return completed

    async def _go_on(self, request: TurnRequest, deadline: Deadline, listener: Listener | None) -> Completed:
        """Run a turn that goes on from a response."""
        parts = self._parts
        if (replay := await replay_of_key(parts.sources, request, deadline)) is not None:
            return replay
        try:
            response = await deadline.stored(locate(parts, request))
            request = replace(request, address=response.address)
            if request.leaves_no_trace or not is_shown(parts, request):
                return await self._read_only(request, deadline, listener, behind=response)
            turn = await open_behind(parts, request, response, deadline)
            if isinstance(turn, OpenTurn):
                return await self._run_open(turn, listener)
            if turn is not None:
                return turn
            try:
                completed, change = await branched_turn(parts, request, response, deadline, listener)
            except errors.IdempotencyKeyReused:
                if (replay := await replay_of_key(parts.sources, request, deadline)) is not None:
                    return replay
                raise
            await follow(parts, change, deadline)
        except errors.NotFound:
            # Erased, before the turn or while it ran.
            raise not_found() from None
        return completed

    async def _read_only(
        self,
        request: TurnRequest,
        deadline: Deadline,
        listener: Listener | None,
        *,
        behind: StoredResponse | None = None,
    ) -> Completed:
        """Answer a turn that leaves no trace: one that only reads the memory, or the dry run of one.

        Parameters
        ----------
        behind
            The response that it goes on from.
        """
        parts = self._parts
        asked = Asked(request.input, request.body, explain=request.is_dry_run, leaves_trace=False)
        defaults = parts.default_memory
        if behind is None:
            reading = unlocked_context(
                parts.sources, request.address, asked, default_memory=defaults, override=request.memory
            )
        else:
            point = await point_behind(parts, behind, deadline)
            head = point.head(point.unnamed(parts.clock(), parts.keeping.seconds))
            asked = replace(asked, past=point.past)
            reading = context_at(
                point.sources(parts.sources), head, asked, default_memory=defaults, override=request.memory
            )
        reserve = COMMIT_RESERVE + MODEL_MINIMUM
        head, context = await deadline.stored(reading, at_most=deadline.remaining(), reserve=reserve)
        if request.is_dry_run:
            return Completed(explained(context, head, effective(self._parts.default_memory, head, request.memory)))
        own = own_members(parts, request, head)
        told = Told(new_turn_id(), context.report, {**own, "store": False})
        if listener is not None:
            listener = Retold(listener, told.announced, None)
        call = request.call(context.input, personal=context.is_personal)
        reply = await ask_model(self._parts.replies, call, deadline, alone=head.seq > 0, listener=listener)
        answer = answer_of(reply.response["id"], frame_of(reply, told), reply.response["output"])
        return Completed(answer, reply.headers)
