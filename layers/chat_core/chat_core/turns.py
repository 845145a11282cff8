"""One turn of a conversation, as events: it knows neither HTTP nor Lambda."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from chat_core import errors
from chat_core.answers import answer_of, frame_of, replayed, texts, title_of, with_ids
from chat_core.formats.items import from_items, stored_item, upstream_items
from chat_core.keys import is_generated_id
from chat_core.memory import parse_turn_settings
from chat_core.messages import Turn
from chat_core.ports import Commit, Lease

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from chat_core.cache_policy import Directives
    from chat_core.deadline import Deadline
    from chat_core.hot_copies import HotCopies
    from chat_core.memory import View
    from chat_core.messages import Item, Message
    from chat_core.ports import Head, HistoryStore, IdempotencyKey, IdempotencyRecord, LastTurn
    from chat_core.replies import Replies, Reply

T = TypeVar("T")

STORE_TIMEOUT = 5.0
COMMIT_RESERVE = 4.0
MODEL_MINIMUM = 1.0
LEASE_GRACE = 3.0
RETRY_WINDOW = 60.0
COMMIT_TRIES = 5
FIRST_TURN_GUESS = 2.0
NO_CONVERSATION = "There is no such conversation."


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A checked request for a turn.

    Parameters
    ----------
    user
        The scope: from the authorizer's claims.
    conversation
        Its id.
    body
        What goes to the model, without the input.
    input
        The caller's items.
    memory
        The request's own memory settings, or None.
    directives
        Of the response cache.
    fingerprint
        SHA-256 of the request's body, hex.
    idempotency
        The caller's key, or None.
    retry_count
        How often the caller's SDK says that it sent this request before.
    """

    user: str
    conversation: str
    body: Mapping[str, Any]
    input: tuple[Item, ...]
    memory: Mapping[str, Any] | None
    directives: Directives
    fingerprint: str
    idempotency: IdempotencyKey | None = None
    retry_count: int = 0


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The request is taken up."""

    turn_id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnCompleted:
    """The turn is in the history, whole.

    Parameters
    ----------
    answer
        OpenAI's response object with our members.
    headers
        What the answer's HTTP headers tell of it.
    """

    answer: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn left nothing behind."""

    error: errors.ChatError


TurnEvent = TurnStarted | TextDelta | TurnCompleted | TurnFailed


async def fold(events: AsyncIterator[TurnEvent]) -> TurnCompleted:
    """Wait for a turn's end.

    Raises
    ------
    ChatError
        If the turn failed.
    """
    async for event in events:
        if isinstance(event, TurnFailed):
            raise event.error
        if isinstance(event, TurnCompleted):
            return event
    raise AssertionError


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
        parse_turn_settings(self._default_memory, {}, request.memory)
        start = self._clock()
        try:
            head, token, state = await self._open(request, deadline)
        except errors.ConversationLocked:
            if (replay := await self._recorded(request)) is not None:
                return replay
            raise
        try:
            replay = await self._recorded(request) or await self._retried(request, head)
            completed = replay or await self._answer(request, head, token, state, turn_id, deadline)
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
        state: MemoryState | None,
        turn_id: str,
        deadline: Deadline,
    ) -> TurnCompleted:
        context = await self._contexts.of_turn(request, head, state)
        reply = await self._reply(request, context, deadline)
        given = [stored_item(item) for item in request.input]
        output = [stored_item(item) for item in reply.response["output"]]
        memory = context.report()
        commit = Commit(
            turn=Turn(turn_id, (*given, *output), int(self._clock())),
            inputs=len(given),
            messages=len(from_items(given)) + len(from_items(output)),
            fingerprint=request.fingerprint,
            frame=frame_of(
                reply.response,
                conversation=request.conversation,
                turn_id=turn_id,
                cache=reply.cache,
                memory=memory,
            ),
            system=context.pinned,
            window_start=context.window_start,
            title=head.title or title_of(context.added),
            idempotency=request.idempotency,
        )
        committed = await self._commit(request.user, head, commit, token, deadline)
        await self._hot.follow(request.user, head, committed, commit, state)
        first_output = committed.seq - len(output) + 1
        answer = answer_of(commit.frame, with_ids(output, committed.incarnation, first_output))
        return TurnCompleted(answer, reply.headers)

    async def _reply(self, request: TurnRequest, context: Context, deadline: Deadline) -> Reply:
        timeout = deadline.remaining(reserve=COMMIT_RESERVE)
        if timeout < MODEL_MINIMUM:
            raise errors.DeadlineExceeded("The turn's time was spent before the model was asked; nothing was stored.")
        return await self._replies.respond(
            {**request.body, "input": upstream_items(context.view.messages)},
            scope=request.user,
            directives=request.directives,
            timeout=timeout,
        )

    async def _commit(self, user: str, head: Head, commit: Commit, token: str, deadline: Deadline) -> Head:
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
