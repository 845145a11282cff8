"""One turn of a conversation, as events: it knows neither HTTP nor Lambda."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from chat_core import errors
from chat_core.answers import answer_of, committed, frame_of, replayed, texts, title_of
from chat_core.formats.items import from_items, stored_item
from chat_core.keys import is_generated_id
from chat_core.memory import merge_settings, parse_turn_settings
from chat_core.messages import Turn
from chat_core.ports import Commit, Lease
from chat_core.turn_context import NO_ANCHOR, turn_context
from chat_core.turn_events import TextDelta, TurnCompleted, TurnFailed, TurnStarted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    from chat_core.deadline import Deadline
    from chat_core.hot_copies import HotCopies
    from chat_core.memory import TurnMemory
    from chat_core.memory.packed import MemoryState
    from chat_core.ports import Head, HistoryStore, IdempotencyRecord, LastTurn
    from chat_core.replies import Replies, Reply
    from chat_core.turn_context import TurnContext
    from chat_core.turn_events import TurnEvent, TurnRequest

T = TypeVar("T")

STORE_TIMEOUT = 5.0
COMMIT_RESERVE = 4.0
MODEL_MINIMUM = 1.0
LEASE_GRACE = 3.0
RETRY_WINDOW = 60.0
COMMIT_TRIES = 5
FIRST_TURN_GUESS = 2.0
NO_CONVERSATION = "There is no such conversation."


class TurnService:
    """Runs turns: one at a time in a conversation, each committed whole or not at all.

    Parameters
    ----------
    history
        The source of truth.
    hot
        The copies in the cache.
    replies
        The way to the model.
    default_memory
        Memory settings of a conversation that has none.
    lock_wait
        Seconds to wait for another turn of the conversation.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        history: HistoryStore,
        hot: HotCopies,
        replies: Replies,
        *,
        default_memory: Mapping[str, Any],
        lock_wait: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._history = history
        self._hot = hot
        self._replies = replies
        self._default_memory = default_memory
        self._lock_wait = lock_wait
        self._clock = clock
        self._usual_turn = FIRST_TURN_GUESS

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
        yield TurnStarted(turn_id, request.conversation)
        try:
            completed = await self._turn(request, turn_id, deadline)
        except errors.UpstreamTimeout:
            yield TurnFailed(errors.DeadlineExceeded("The model took longer than a turn may; nothing was stored."))
        except errors.ChatError as error:
            yield TurnFailed(error)
        else:
            for text in texts(completed.answer["output"]):
                yield TextDelta(text)
            yield completed

    async def _turn(self, request: TurnRequest, turn_id: str, deadline: Deadline) -> TurnCompleted:
        # Settings of the request itself are checked before anything is read, written or paid.
        parse_turn_settings(self._default_memory, request.memory)
        start = self._clock()
        try:
            head, token, state = await self._open(request, deadline)
        except errors.ConversationLocked:
            if (replay := await self._recorded(request)) is not None:
                return replay
            raise
        try:
            replay = await self._recorded(request) or await self._retried(request, head)
            completed = replay or await self._answer(
                request, head, token, state=state, turn_id=turn_id, deadline=deadline
            )
        except BaseException:
            await self._release(request.user, head, token)
            raise
        if replay is not None:
            await self._release(request.user, head, token)
        self._usual_turn += (self._clock() - start - self._usual_turn) / 4
        return completed

    async def _open(self, request: TurnRequest, deadline: Deadline) -> tuple[Head, str, MemoryState | None]:
        """Take the lease and read the memory value, side by side."""
        reading = asyncio.ensure_future(self._hot.read(request.user, request.conversation))
        try:
            head, token = await self._take_lease(request, deadline)
        except BaseException:
            reading.cancel()
            raise
        return head, token, self._hot.believed(await reading, head)

    async def _take_lease(self, request: TurnRequest, deadline: Deadline) -> tuple[Head, str]:
        wait_until = self._clock() + min(self._lock_wait, deadline.remaining(reserve=COMMIT_RESERVE + MODEL_MINIMUM))
        lease = Lease(
            token=uuid4().hex,
            expires_at=self._clock() + deadline.remaining() + LEASE_GRACE,
            idempotency_key=request.idempotency.digest if request.idempotency else "",
        )
        create = not is_generated_id(request.conversation)
        while True:
            try:
                head = await self._stored(
                    self._history.take_lease(request.user, request.conversation, lease, create=create), deadline
                )
            except errors.IdempotencyInProgress as error:
                error.retry_after_ms = self._come_again_ms()
                raise
            except errors.ConversationLocked as error:
                if self._clock() >= wait_until:
                    error.retry_after_ms = self._come_again_ms()
                    raise
                await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - spreads the waiters
            else:
                return head, lease.token

    def _come_again_ms(self) -> int:
        """Draw a wait of one to six usual turns: a constant one would bring all waiters back at once."""
        return int(self._usual_turn * random.uniform(1, 6) * 1000)  # noqa: S311 - spreads the waiters

    async def _release(self, user: str, head: Head, token: str) -> None:
        # The lease expires by itself; a release that fails only makes the next turn wait for that.
        with contextlib.suppress(errors.ChatError, TimeoutError):
            async with asyncio.timeout(STORE_TIMEOUT):
                await self._history.release_lease(user, head, token)

    async def _recorded(self, request: TurnRequest) -> TurnCompleted | None:
        """Answer from the idempotency record, where the key came before."""
        if request.idempotency is None:
            return None
        record = await self._history.idempotency_record(request.user, request.idempotency)
        if record is None:
            return None
        if record.fingerprint != request.fingerprint:
            raise errors.IdempotencyKeyReused(
                "This Idempotency-Key came before with another request.", param="Idempotency-Key"
            )
        head = await self._history.get_head(request.user, record.conversation)
        if head.incarnation != record.incarnation:
            raise errors.NotFound(NO_CONVERSATION)
        return await self._replay(request.user, head, record)

    async def _retried(self, request: TurnRequest, head: Head) -> TurnCompleted | None:
        """Answer a retry of the SDK's own, which sends no key: the last turn's request, again, within a minute."""
        last = head.last
        if last is None or request.retry_count == 0 or request.fingerprint != last.fingerprint:
            return None
        if self._clock() - last.committed_at > RETRY_WINDOW:
            return None
        return await self._replay(request.user, head, last)

    async def _replay(self, user: str, head: Head, turn: LastTurn | IdempotencyRecord) -> TurnCompleted:
        items = await self._history.read_items(user, head, turn.first_seq, turn.last_seq)
        answer = replayed(turn.frame, items, first_seq=turn.first_seq, inputs=turn.inputs)
        return TurnCompleted(answer, {"Idempotent-Replayed": "true"})

    async def _answer(
        self,
        request: TurnRequest,
        head: Head,
        token: str,
        *,
        state: MemoryState | None,
        turn_id: str,
        deadline: Deadline,
    ) -> TurnCompleted:
        settings = self._settings(head, request.memory)
        context = await turn_context(
            self._history,
            request.user,
            head,
            state=state,
            policy=settings.policy,
            items=request.input,
            body=request.body,
        )
        reply = await self._reply(request, context, deadline, alone=head.seq > 0)
        output = [stored_item(item) for item in reply.response["output"]]
        turn = Turn(turn_id, (*context.given, *output), int(self._clock()))
        added = from_items(turn.items, turn_id=turn.id, created_at=turn.created_at, first_seq=head.seq + 1)
        kept = context.keep(settings.stored, added)
        commit = Commit(
            turn=turn,
            inputs=len(context.given),
            messages=len(added),
            fingerprint=request.fingerprint,
            frame=frame_of(
                reply.response,
                conversation=request.conversation,
                turn_id=turn_id,
                cache=reply.cache,
                memory=context.report,
            ),
            system=context.system,
            window_start=kept.anchor.seq if kept.anchor else NO_ANCHOR,
            window_position=kept.anchor.position if kept.anchor else 0,
            title=head.title or title_of(added),
            idempotency=request.idempotency,
        )
        new = await self._commit(request.user, head, commit, token, deadline)
        items, messages = committed(turn, new)
        await self._hot.follow(request.user, head, new, messages, state=state, kept=kept)
        return TurnCompleted(answer_of(commit.frame, items[commit.inputs :]), reply.headers)

    def _settings(self, head: Head, override: Mapping[str, Any] | None) -> TurnMemory:
        return parse_turn_settings(merge_settings(self._default_memory, head.memory), override)

    async def _reply(self, request: TurnRequest, context: TurnContext, deadline: Deadline, *, alone: bool) -> Reply:
        timeout = deadline.remaining(reserve=COMMIT_RESERVE)
        if timeout < MODEL_MINIMUM:
            raise errors.DeadlineExceeded("The turn's time was spent before the model was asked; nothing was stored.")
        return await self._replies.respond(
            {**request.body, "input": context.input},
            scope=request.user,
            directives=request.directives,
            timeout=timeout,
            alone=alone,
        )

    async def _commit(self, user: str, head: Head, commit: Commit, token: str | None, deadline: Deadline) -> Head:
        """Commit behind the head as it was read; behind the new one if another turn came between.

        A turn whose lease expired is late, not lost: its model is paid.
        """
        for _ in range(COMMIT_TRIES):
            try:
                return await self._stored(self._history.commit(user, head, commit, token=token), deadline)
            except errors.CommitConflict:
                current = await self._history.get_head(user, head.conversation)
                if current.incarnation != head.incarnation:
                    raise errors.NotFound(NO_CONVERSATION) from None
                head, token = current, None
        raise errors.StoreUnavailable("The conversation changes too fast to commit.")

    async def _stored(self, call: Coroutine[Any, Any, T], deadline: Deadline) -> T:
        try:
            async with asyncio.timeout(min(STORE_TIMEOUT, deadline.remaining())):
                return await call
        except TimeoutError:
            raise errors.StoreUnavailable("The history does not answer.", retry_after_ms=1000) from None
