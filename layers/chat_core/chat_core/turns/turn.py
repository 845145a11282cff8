"""One turn while it runs: opened under a lease, answered, committed, followed by the copies in the cache."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core import errors
from chat_core.keys import is_generated_id
from chat_core.timing import timed
from chat_core.turns.answer import new_turn_id
from chat_core.turns.answering import Standing, answer_turn
from chat_core.turns.asking import COMMIT_RESERVE, MODEL_MINIMUM
from chat_core.turns.branching import branch_off, commit_behind, point_in
from chat_core.turns.brought_up import begin_question
from chat_core.turns.following import FOLLOW_RESERVE, committed
from chat_core.turns.once import with_record
from chat_core.turns.replaying import replay_of_key, replay_stored

if TYPE_CHECKING:
    from chat_core.cache import Completed, Listener
    from chat_core.deadline import Deadline
    from chat_core.history import Commit, Head
    from chat_core.hot import Known
    from chat_core.long_term.question import Question
    from chat_core.turns.answering import Answered
    from chat_core.turns.following import Change
    from chat_core.turns.parts import TurnParts
    from chat_core.turns.request import TurnRequest

RETRY_WINDOW = 60.0
COMMIT_TRIES = 5


@dataclass
class OpenTurn:
    """A turn that runs: who made it closes it, which gives back a lease that no commit gave back.

    Parameters
    ----------
    parts, request, deadline
        What it is made with, what is asked, and when it has to be over.
    id
        ``turn_`` and a random part.
    head
        Of the conversation, as the lease was taken.
    token
        Of the lease.
    known
        The conversation's copies.
    question
        What the input asks of recall, where that is likely to be wanted.
    """

    parts: TurnParts
    request: TurnRequest
    deadline: Deadline
    id: str
    head: Head
    token: str
    known: Known
    question: Question | None = None
    leased: bool = True

    @classmethod
    async def open(cls, parts: TurnParts, request: TurnRequest, deadline: Deadline, *, wait: bool = True) -> OpenTurn:
        """Take the lease and read the memory value, side by side.

        Parameters
        ----------
        wait
            Whether another turn may be waited for.

        Raises
        ------
        ConversationLocked, IdempotencyInProgress, NotFound, StoreUnavailable
            As `TurnLeases.take`.
        """
        address = request.address
        question = begin_question(parts.sources, request)
        reading = asyncio.ensure_future(parts.hot.read(address))
        try:
            with timed("lease"):
                head, token, waited = await parts.leases.take(
                    address,
                    deadline,
                    key=request.keyed.key if request.keyed else None,
                    create=not is_generated_id(address.conversation),
                    reserve=COMMIT_RESERVE + MODEL_MINIMUM if wait else deadline.remaining(),
                )
            # Whoever waited read the value as it was before another turn.
            with timed("memory"):
                known = await (parts.hot.read(address) if waited else reading)
        except BaseException:
            if question is not None:
                question.close()
            raise
        finally:
            reading.cancel()
        return cls(parts, request, deadline, new_turn_id(), head, token, known.believed(head), question)

    async def close(self) -> None:
        """Give the lease back, unless the commit did."""
        if self.question is not None:
            self.question.close()
        if self.leased:
            self.leased = False
            await self.parts.leases.release(self.request.address, self.token, self.deadline)

    async def replay(self) -> Completed | None:
        """Answer from what is stored, where this request was answered before: by its key, or as the SDK's own retry.

        The SDK sends no key, but the last turn's request again, within a minute.
        """
        if (replay := await replay_of_key(self.parts.sources, self.request, self.deadline)) is not None:
            return replay
        last = self.head.last
        if last is None or self.request.retry_count == 0 or self.request.fingerprint != last.fingerprint:
            return None
        if self.parts.clock() - last.committed_at > RETRY_WINDOW:
            return None
        return await replay_stored(self.parts.sources, self.head, last, self.deadline)

    async def answer(self, listener: Listener | None = None) -> Answered:
        """Ask the model, and keep the lease meanwhile; see `answer_turn`."""
        standing = Standing(
            self.head,
            self.head,
            self.parts.sources,
            state=self.known.state,
            question=self.question,
            renewed=self.parts.leases.renewed(self.request.address, self.token, self.deadline),
        )
        return await answer_turn(
            self.parts, self.request, self.deadline, turn_id=self.id, standing=standing, listener=listener
        )

    async def commit(self, answered: Answered) -> tuple[Completed, Change]:
        """Bring the turn into the history.

        Raises
        ------
        IdempotencyKeyReused
            If the lease had expired, and another request with the key was faster.
        """
        with timed("commit"):
            before, after = await self._append(answered.commit)
        return committed(answered, before, after, self.known, overtaken=before != self.head)

    async def _append(self, commit: Commit) -> tuple[Head, Head]:
        """Commit behind the head as it was read; behind the new one if another turn came between.

        A turn whose lease expired is late, not lost: its model is paid. One that goes on from a response is on a branch
        then. The heads before and after are returned.
        """
        history, stored = self.parts.history, self.deadline.stored
        head, fence = self.head, self.token
        try:
            after = await stored(history.commit(head, commit, token=fence), reserve=FOLLOW_RESERVE)
        except errors.CommitConflict:
            pass
        else:
            self.leased = False
            return head, after
        if self.request.previous is not None:
            return await self._branch_off(commit)
        for _ in range(COMMIT_TRIES - 1):
            head = await stored(history.head(self.request.address), reserve=FOLLOW_RESERVE)
            if head.incarnation != self.head.incarnation:
                raise errors.no_conversation()
            late = with_record(commit_behind(commit, head), self.request.keyed, head, self.parts.clock())
            try:
                return head, await stored(history.commit(head, late, token=None), reserve=FOLLOW_RESERVE)
            except errors.CommitConflict:
                continue
        raise errors.StoreUnavailable("The conversation changes too fast to commit.")

    async def _branch_off(self, commit: Commit) -> tuple[Head, Head]:
        parts, deadline, now = self.parts, self.deadline, self.parts.clock()
        reading = point_in(parts.sources, await parts.history.head(self.head.address), self.head.seq, param="input")
        point = await deadline.stored(reading, at_most=deadline.remaining(), reserve=FOLLOW_RESERVE)
        if point.origin.incarnation != self.head.incarnation:
            raise errors.no_conversation()
        place = point.unnamed(now, parts.keeping.seconds)
        turned = with_record(commit_behind(commit, place), self.request.keyed, place, now)
        return await branch_off(parts, point, place, turned, deadline, keyed=self.request.keyed)
