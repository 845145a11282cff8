"""One turn while it runs: opened under a lease, answered, committed, followed by the copies in the cache."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core import errors
from chat_core.cache import Completed
from chat_core.history import Commit
from chat_core.hot import Known, MemoryState
from chat_core.keys import is_generated_id
from chat_core.long_term import folding_of, makes_due, unfolded_by
from chat_core.memory import merge_settings, parse_turn_settings, pinned_item
from chat_core.messages import Turn, from_items, stored_item
from chat_core.timing import timed
from chat_core.turns.answer import announced, answer_of, as_committed, frame_of, title_of
from chat_core.turns.asking import COMMIT_RESERVE, MODEL_MINIMUM, ask_model
from chat_core.turns.brought_up import begin_question
from chat_core.turns.context import Asked, turn_context
from chat_core.turns.once import with_record
from chat_core.turns.replaying import replay_of_key, replay_stored
from chat_core.turns.retold import Places, Retold
from chat_core.turns.returnable import check_returnable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.cache import Listener, Replies
    from chat_core.deadline import Deadline
    from chat_core.history import Head, History
    from chat_core.hot import HotCopies
    from chat_core.long_term.question import Question
    from chat_core.memory import Kept
    from chat_core.messages import Message
    from chat_core.turns.context import TurnContext
    from chat_core.turns.lease import TurnLeases
    from chat_core.turns.request import TurnRequest
    from chat_core.turns.sources import Sources

# Seconds at the end of an invocation: after the commit (see `asking`) the copies follow, then the answer goes.
FOLLOW_RESERVE = 1.5
ANSWER_RESERVE = 0.5
FOLLOW_TIMEOUT = 2.5
RETRY_WINDOW = 60.0
COMMIT_TRIES = 5


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What every turn is made with.

    Parameters
    ----------
    sources
        What a view is made of.
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

    sources: Sources
    leases: TurnLeases
    hot: HotCopies
    replies: Replies
    default_memory: Mapping[str, Any]
    clock: Callable[[], float]

    @property
    def history(self) -> History:
        """The source of truth."""
        return self.sources.history


@dataclass(frozen=True, slots=True)
class Answered:
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


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit made of its conversation, for the copies to follow.

    Parameters
    ----------
    before, after
        The head that the commit was made on, and the one that it made.
    messages
        What it added.
    known, state
        See `HotCopies.follow`.
    """

    before: Head
    after: Head
    messages: Sequence[Message]
    known: Known
    state: MemoryState | None


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
    async def open(cls, parts: TurnParts, request: TurnRequest, deadline: Deadline) -> OpenTurn:
        """Take the lease and read the memory value, side by side.

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
                    reserve=COMMIT_RESERVE + MODEL_MINIMUM,
                )
            # Whoever waited read the value as it was before another turn.
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
        if (replay := await replay_of_key(self.parts.history, self.request, self.deadline)) is not None:
            return replay
        last = self.head.last
        if last is None or self.request.retry_count == 0 or self.request.fingerprint != last.fingerprint:
            return None
        if self.parts.clock() - last.committed_at > RETRY_WINDOW:
            return None
        return await replay_stored(self.parts.history, self.head, last, self.deadline)

    async def answer(self, listener: Listener | None = None) -> Answered:
        """Ask the model, with the memory's view of the conversation, and keep the lease meanwhile.

        Raises
        ------
        AnswerTooLarge
            If nobody could read the answer once it is in the history.
        """
        head, request, parts = self.head, self.request, self.parts
        settings = parse_turn_settings(merge_settings(parts.default_memory, head.memory), request.memory)
        asked = Asked(request.input, request.body, question=self.question)
        reading = turn_context(parts.sources, head, asked, memory=settings, state=self.known.state)
        reserve = COMMIT_RESERVE + MODEL_MINIMUM
        context = await self.deadline.stored(reading, at_most=self.deadline.remaining(), reserve=reserve)
        if listener is not None:
            members = announced(conversation=head.conversation, turn_id=self.id, memory=context.report)
            listener = Retold(listener, members, Places(head.incarnation, head.seq + len(context.given) + 1))
        call = request.call(context.input, personal=context.is_personal)
        async with parts.leases.renewed(request.address, self.token, self.deadline):
            reply = await ask_model(parts.replies, call, self.deadline, alone=head.seq > 0, listener=listener)
        output = [stored_item(item) for item in reply.response["output"]]
        check_returnable(output)
        turn = Turn(self.id, (*context.given, *output), int(parts.clock()))
        added = from_items(turn.items, turn_id=turn.id, created_at=turn.created_at, first_seq=head.seq + 1)
        kept = context.keep(settings.stored, added)
        unfolded = unfolded_by(added, context.counter.at_most)
        folding = folding_of(settings.stored, settings.stored_add_ons)
        commit = Commit(
            turn=turn,
            inputs=len(context.given),
            messages=len(added),
            fingerprint=request.fingerprint,
            frame=frame_of(reply, conversation=head.conversation, turn_id=turn.id, memory=context.report),
            system=context.system,
            anchor=kept.anchor,
            title=head.title or title_of(added),
            unfolded=unfolded,
            due=makes_due(head, unfolded, folding, parts.clock()),
        )
        return Answered(with_record(commit, request.keyed, head, parts.clock()), context, kept, reply.headers)

    async def commit(self, answered: Answered) -> tuple[Completed, Change]:
        """Bring the turn into the history.

        Raises
        ------
        IdempotencyKeyReused
            If the lease had expired, and another request with the key was faster.
        """
        with timed("commit"):
            before, after = await self._append(answered.commit)
        items, messages = as_committed(answered.commit.turn, after)
        completed = Completed(answer_of(answered.commit.frame, items[answered.commit.inputs :]), answered.headers)
        if before != self.head:
            # Another turn came between: what this one knew and would keep is of another history.
            return completed, Change(before, after, messages, Known(None, self.known.reachable), None)
        context = answered.context
        state = MemoryState(
            after.incarnation,
            after.seq,
            after.edits,
            answered.kept,
            tokens=context.counts.by_seq,
            encoding=context.counter.encoding,
            folds=context.remembered.folds,
        )
        return completed, Change(before, after, messages, self.known, state)

    async def follow(self, change: Change) -> None:
        """Bring the copies up to the commit."""
        hot = self.parts.hot
        try:
            async with asyncio.timeout(min(FOLLOW_TIMEOUT, self.deadline.remaining(reserve=ANSWER_RESERVE))):
                await hot.follow(change.before, change.after, change.messages, known=change.known, kept=change.state)
        except TimeoutError:
            # Half written at worst: without them the next turn makes them anew.
            await hot.forget(change.after.address)

    async def _append(self, commit: Commit) -> tuple[Head, Head]:
        """Commit behind the head as it was read; behind the new one if another turn came between.

        A turn whose lease expired is late, not lost: its model is paid. The heads before and after are returned.
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
        for _ in range(COMMIT_TRIES - 1):
            head = await stored(history.head(self.request.address), reserve=FOLLOW_RESERVE)
            if head.incarnation != self.head.incarnation:
                raise errors.no_conversation()
            moved = with_record(_moved(commit, head), self.request.keyed, head, self.parts.clock())
            try:
                return head, await stored(history.commit(head, moved, token=None), reserve=FOLLOW_RESERVE)
            except errors.CommitConflict:
                continue
        raise errors.StoreUnavailable("The conversation changes too fast to commit.")


def new_turn_id() -> str:
    """Draw an id for a turn."""
    return f"turn_{uuid4().hex}"


def _moved(commit: Commit, head: Head) -> Commit:
    """Make a commit that was meant for an earlier head one for this head: what others changed stays changed."""
    return replace(
        commit,
        system=pinned_item(from_items(commit.turn.items[: commit.inputs]), head.system),
        anchor=None,
        title=head.title or commit.title,
    )
