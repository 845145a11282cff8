"""One turn of a conversation, as events: it knows neither HTTP nor Lambda."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core import errors
from chat_core.cache import ModelCall
from chat_core.history import Commit
from chat_core.hot import Known, MemoryState
from chat_core.keys import is_generated_id
from chat_core.memory import merge_settings, parse_turn_settings
from chat_core.messages import Turn, from_items, pinned_system, stored_item
from chat_core.timing import timed
from chat_core.turns.answer import answer_of, committed, frame_of, replayed, texts, title_of
from chat_core.turns.context import turn_context
from chat_core.turns.events import TextDelta, TurnCompleted, TurnFailed, TurnStarted
from chat_core.turns.once import find_record, with_record
from chat_core.turns.unlocked import unlocked_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from chat_core.cache import Replies, Reply
    from chat_core.deadline import Deadline
    from chat_core.history import Head, History, IdempotencyRecord, LastTurn
    from chat_core.hot import HotCopies
    from chat_core.memory import TurnMemory
    from chat_core.messages import Message
    from chat_core.turns.context import TurnContext
    from chat_core.turns.events import TurnEvent, TurnRequest
    from chat_core.turns.lease import TurnLeases

# Seconds at the end of an invocation: what was paid is committed in them, then the copies follow, then the answer goes.
COMMIT_RESERVE = 5.0
FOLLOW_RESERVE = 1.5
ANSWER_RESERVE = 0.5
MODEL_MINIMUM = 1.0
FOLLOW_TIMEOUT = 2.5
RETRY_WINDOW = 60.0
COMMIT_TRIES = 5
NO_CONVERSATION = "There is no such conversation."


@dataclass(frozen=True, slots=True)
class _Committed:
    """A turn that is in the history, and what its conversation's copies are to be told.

    Parameters
    ----------
    before, after
        The head that the commit was made on, and the one that it made.
    messages
        What it added.
    known, kept
        See `HotCopies.follow`.
    """

    completed: TurnCompleted
    before: Head
    after: Head
    messages: Sequence[Message]
    known: Known
    kept: MemoryState | None


class TurnService:
    """Runs turns: one at a time in a conversation, each committed whole or not at all.

    Parameters
    ----------
    history
        The source of truth.
    leases
        Who may run a turn.
    hot
        The copies in the cache.
    replies
        The way to the model.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        history: History,
        leases: TurnLeases,
        hot: HotCopies,
        replies: Replies,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._history = history
        self._hot = hot
        self._replies = replies
        self._default_memory = default_memory
        self._leases = leases
        self._clock = clock

    async def run(self, request: TurnRequest, deadline: Deadline) -> AsyncIterator[TurnEvent]:
        """Run one turn.

        Parameters
        ----------
        deadline
            When the platform ends this invocation; everything inside ends before.

        Yields
        ------
        TurnEvent
            `TurnStarted`, `TextDelta` …, and last `TurnCompleted` or `TurnFailed`.
        """
        turn_id = f"turn_{uuid4().hex}"
        yield TurnStarted(turn_id, request.address.conversation)
        try:
            turn = await self._turn(request, turn_id, deadline)
            completed = turn if isinstance(turn, TurnCompleted) else turn.completed
            # The copies follow while the text is written.
            following = asyncio.ensure_future(self._follow(turn, deadline))
            try:
                for text in texts(completed.answer.get("output", ())):
                    yield TextDelta(text)
                await following
            finally:
                following.cancel()
        except errors.UpstreamTimeout:
            yield TurnFailed(errors.DeadlineExceeded("The model took longer than a turn may; nothing was stored."))
        except errors.ChatError as error:
            yield TurnFailed(error)
        else:
            yield completed

    async def _turn(self, request: TurnRequest, turn_id: str, deadline: Deadline) -> _Committed | TurnCompleted:
        if any((request.memory or {}).get(name) for name in ("dry_run", "read_only")):
            return await self._untraced(request, turn_id, deadline)
        start = deadline.clock()
        try:
            head, token, known = await self._open(request, deadline)
        except errors.ConversationLocked:
            if (replay := await self._recorded(request, deadline)) is not None:
                return replay
            raise
        turn: _Committed | TurnCompleted | None = None
        try:
            turn = await self._recorded(request, deadline) or await self._retried(request, head, deadline)
            if turn is None:
                turn = await self._answer(request, head, token, known=known, turn_id=turn_id, deadline=deadline)
                self._leases.learn(deadline.clock() - start)
        finally:
            # The commit itself gives back the lease that it was made under.
            if not isinstance(turn, _Committed) or turn.before is not head:
                await self._leases.release(request.address, token, deadline)
        return turn

    async def _open(self, request: TurnRequest, deadline: Deadline) -> tuple[Head, str, Known]:
        """Take the lease and read the memory value, side by side."""
        reading = asyncio.ensure_future(self._hot.read(request.address))
        try:
            with timed("lease"):
                head, token, waited = await self._leases.take(
                    request.address,
                    deadline,
                    key=request.keyed.key if request.keyed else None,
                    create=not is_generated_id(request.address.conversation),
                    reserve=COMMIT_RESERVE + MODEL_MINIMUM,
                )
            # Whoever waited read the value as it was before another turn.
            known = await (self._hot.read(request.address) if waited else reading)
        finally:
            reading.cancel()
        return head, token, known.believed(head)

    async def _follow(self, turn: _Committed | TurnCompleted, deadline: Deadline) -> None:
        if isinstance(turn, TurnCompleted):
            return
        try:
            async with asyncio.timeout(min(FOLLOW_TIMEOUT, deadline.remaining(reserve=ANSWER_RESERVE))):
                await self._hot.follow(turn.before, turn.after, turn.messages, known=turn.known, kept=turn.kept)
        except TimeoutError:
            # Half written at worst: without them the next turn makes them anew.
            await self._hot.forget(turn.after.address)

    async def _recorded(self, request: TurnRequest, deadline: Deadline) -> TurnCompleted | None:
        """Answer from the idempotency record, where the key came before."""
        if request.keyed is None:
            return None
        found = await deadline.stored(find_record(self._history, request.keyed))
        if found is None:
            return None
        record, head = found
        return await self._replay(head, record, deadline)

    async def _retried(self, request: TurnRequest, head: Head, deadline: Deadline) -> TurnCompleted | None:
        """Answer a retry of the SDK's own, which sends no key: the last turn's request, again, within a minute."""
        last = head.last
        if last is None or request.retry_count == 0 or request.fingerprint != last.fingerprint:
            return None
        if self._clock() - last.committed_at > RETRY_WINDOW:
            return None
        return await self._replay(head, last, deadline)

    async def _replay(self, head: Head, turn: LastTurn | IdempotencyRecord, deadline: Deadline) -> TurnCompleted:
        items = await deadline.stored(self._history.items(head, turn.first_seq, turn.last_seq))
        answer = replayed(turn.frame, items, first_seq=turn.first_seq, inputs=turn.inputs)
        return TurnCompleted(answer, {"Idempotent-Replayed": "true"})

    async def _answer(
        self, request: TurnRequest, head: Head, token: str, *, known: Known, turn_id: str, deadline: Deadline
    ) -> _Committed | TurnCompleted:
        settings = self._settings(head, request.memory)
        reading = turn_context(
            self._history,
            head,
            state=known.state,
            policy=settings.policy,
            items=request.input,
            body=request.body,
        )
        reserve = COMMIT_RESERVE + MODEL_MINIMUM
        context = await deadline.stored(reading, at_most=deadline.remaining(), reserve=reserve)
        reply = await self._reply(request, context, deadline, alone=head.seq > 0)
        output = [stored_item(item) for item in reply.response["output"]]
        turn = Turn(turn_id, (*context.given, *output), int(self._clock()))
        added = from_items(turn.items, turn_id=turn.id, created_at=turn.created_at, first_seq=head.seq + 1)
        kept = context.keep(settings.stored, added)
        frame = frame_of(
            reply.response,
            conversation=request.address.conversation,
            turn_id=turn_id,
            cache=reply.cache,
            memory=context.report,
        )
        commit = Commit(
            turn=turn,
            inputs=len(context.given),
            messages=len(added),
            fingerprint=request.fingerprint,
            frame=frame,
            system=context.system,
            anchor=kept.anchor,
            title=head.title or title_of(added),
        )
        commit = with_record(commit, request.keyed, head, self._clock())
        try:
            with timed("commit"):
                before, after = await self._commit(head, commit, token, deadline)
        except errors.IdempotencyKeyReused:
            # The lease had expired, and another request with the key was faster.
            if (replay := await self._recorded(request, deadline)) is not None:
                return replay
            raise
        items, messages = committed(turn, after)
        completed = TurnCompleted(answer_of(commit.frame, items[commit.inputs :]), reply.headers)
        if before is not head:
            return _Committed(completed, before, after, messages, Known(None, known.reachable), None)
        state = MemoryState(
            after.incarnation, after.seq, after.edits, kept, (), context.counts.by_seq, context.counter.encoding
        )
        return _Committed(completed, before, after, messages, known, state)

    async def _untraced(self, request: TurnRequest, turn_id: str, deadline: Deadline) -> TurnCompleted:
        """Answer a turn that leaves no trace: one that only reads the memory, or the dry run of one."""
        dry_run = bool((request.memory or {}).get("dry_run"))
        reading = unlocked_context(
            self._history,
            request.address,
            default_memory=self._default_memory,
            override=request.memory,
            items=request.input,
            body=request.body,
            explain=dry_run,
        )
        head, context = await deadline.stored(
            reading, at_most=deadline.remaining(), reserve=COMMIT_RESERVE + MODEL_MINIMUM
        )
        if dry_run:
            return TurnCompleted(context.explained(head))
        reply = await self._reply(request, context, deadline, alone=head.seq > 0)
        frame = frame_of(
            reply.response,
            conversation=request.address.conversation,
            turn_id=turn_id,
            cache=reply.cache,
            memory=context.report,
        )
        return TurnCompleted(answer_of(frame, reply.response["output"]), reply.headers)

    def _settings(self, head: Head, override: Mapping[str, Any] | None) -> TurnMemory:
        return parse_turn_settings(merge_settings(self._default_memory, head.memory), override)

    async def _reply(self, request: TurnRequest, context: TurnContext, deadline: Deadline, *, alone: bool) -> Reply:
        timeout = deadline.remaining(reserve=COMMIT_RESERVE)
        if timeout < MODEL_MINIMUM:
            raise errors.DeadlineExceeded("The turn's time was spent before the model was asked; nothing was stored.")
        return await self._replies.respond(
            ModelCall(request.address.user, {**request.body, "input": context.input}, request.directives),
            timeout=timeout,
            alone=alone,
        )

    async def _commit(self, head: Head, commit: Commit, token: str, deadline: Deadline) -> tuple[Head, Head]:
        """Commit behind the head as it was read; behind the new one if another turn came between.

        A turn whose lease expired is late, not lost: its model is paid. The heads before and after are returned.
        """
        fence: str | None = token
        for _ in range(COMMIT_TRIES):
            try:
                making = self._history.commit(head, commit, token=fence)
                return head, await deadline.stored(making, reserve=FOLLOW_RESERVE)
            except errors.CommitConflict:
                current = await deadline.stored(self._history.head(head.address), reserve=FOLLOW_RESERVE)
                if current.incarnation != head.incarnation:
                    raise errors.NotFound(NO_CONVERSATION) from None
                head, fence, commit = current, None, _moved(commit, current)
        raise errors.StoreUnavailable("The conversation changes too fast to commit.")


def _moved(commit: Commit, head: Head) -> Commit:
    """Make a commit that was meant for an earlier head one for this head: what others changed stays changed."""
    record = commit.record
    if record is not None:
        record = replace(record, first_seq=head.seq + 1, last_seq=head.seq + len(commit.turn.items))
    return replace(
        commit,
        system=pinned_system(commit.turn.items[: commit.inputs], head.system),
        anchor=None,
        title=head.title or commit.title,
        record=record,
    )
