"""The memory function's work on one conversation: fold what is due, and write each fold in a transaction of its own.

Delivered twice, late, in any order, to two workers, or not at all: a fold is conditional on the state that it read, so
one of them has an effect, and the row that says that there is work stays until it is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from chat_core.errors import CommitConflict, InvalidRequest, NotFound
from chat_core.history import Unfolded, stored_messages
from chat_core.long_term.asking import COMMIT_RESERVE, FOLDS_IN_A_ROW, MODEL_MINIMUM
from chat_core.long_term.due import is_overdue
from chat_core.long_term.fold import BYTES_A_TOKEN, INPUT_TOKENS, batches, due_turns
from chat_core.long_term.records import SKIPPED_AFTER, Memory, backoff
from chat_core.long_term.store import Change
from chat_core.long_term.turns import whole_turns
from chat_core.memory import merge_settings, parse_policy
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.store import Stores
    from chat_core.long_term.summariser import Answered, Summariser
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import Folding
    from chat_core.observability import Count

CONFLICTS = 5
STUCK_AFTER = 5
"""Failures in a row that somebody should hear of."""

End = Literal["nothing", "folded", "failed", "put_off", "unfinished"]


@dataclass(frozen=True, slots=True)
class _Tail:
    """What the summary does not cover, as it was read.

    Parameters
    ----------
    turns
        Oldest first.
    sizes
        Of each turn in tokens, or in bytes where those show that nothing is due.
    due
        How many turns are to be folded.
    exact
        Whether the sizes are tokens.
    """

    turns: tuple[WholeTurn, ...]
    sizes: tuple[int, ...]
    due: int
    exact: bool = True

    def behind(self, taken: int) -> _Tail:
        """Tell what is left when so many turns are folded."""
        return replace(self, turns=self.turns[taken:], sizes=self.sizes[taken:], due=self.due - taken)

    @property
    def unfolded(self) -> Unfolded:
        """What is left, as the head's estimate has it."""
        total = sum(self.sizes)
        return Unfolded(total * BYTES_A_TOKEN if self.exact else total, sum(len(turn.messages) for turn in self.turns))


@dataclass(frozen=True, slots=True)
class _State:
    """What a fold is made of, as it was read: each fold makes the next one."""

    head: Head
    memory: Memory
    folding: Folding
    tail: _Tail


class Part(Protocol):
    """A part of long-term memory with a pointer of its own."""

    async def work(self, head: Head, memory: Memory, deadline: Deadline) -> bool:
        """Bring it up to date with a conversation, and tell whether that is done.

        Raises
        ------
        CommitConflict
            If the conversation has changed: it is to be read again.
        """
        ...


class MemoryWorker:
    """Does the work that there is on conversations.

    Parameters
    ----------
    stores
        See there.
    summariser
        Has a model write summaries.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    count
        Adds to a metric.
    parts
        What else is made of a history; each is done after the summary.
    """

    def __init__(
        self,
        stores: Stores,
        summariser: Summariser,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
        count: Count,
        parts: Sequence[Part] = (),
    ) -> None:
        self._parts = parts
        self._history = stores.history
        self._store = stores.memories
        self._summariser = summariser
        self._counter = summariser.counter
        self._default_memory = default_memory
        self._clock = clock
        self._metric = count

    async def work(self, address: Address, deadline: Deadline) -> End:
        """Do the work on a conversation, if there is any.

        Parameters
        ----------
        deadline
            When the platform ends this invocation.

        Raises
        ------
        StoreUnavailable
            If a store failed: the work stays, and may be tried again at once.
        """
        due = await self._store.due(address)
        if due is None:
            return "nothing"
        end: End = "unfinished"
        for _ in range(CONFLICTS):
            try:
                state = await self._state(address)
                end = state if isinstance(state, str) else await self._fold_all(state, deadline)
                # An answer that is refused for the summary holds up no other part.
                others = end not in ("put_off", "unfinished") and await self._others(address, deadline)
                if end in ("nothing", "folded") and not others:
                    end = "unfinished"
            except CommitConflict:
                continue
            if end in ("nothing", "folded"):
                await self._store.settle(address, due.token)
            break
        return end

    async def _others(self, address: Address, deadline: Deadline) -> bool:
        """Do the other parts' work; each reads what the one before it wrote."""
        done = True
        for part in self._parts:
            try:
                head = await self._history.head(address)
            except NotFound:
                return True
            memory = await self._store.read(head) or Memory(head.incarnation)
            done &= await part.work(head, replace(memory, folds=head.folds), deadline)
        return done

    async def waiting(self, *, before: float, limit: int) -> tuple[Address, ...]:
        """See `LongTermStore.waiting`."""
        return await self._store.waiting(before=before, limit=limit)

    async def _state(self, address: Address) -> _State | End:
        """Read a conversation, or tell why there is nothing to fold."""
        try:
            head = await self._history.head(address)
        except NotFound:
            return "nothing"
        folding = self._folding(head)
        if folding is None:
            return "nothing"
        if self._clock() < head.fold_after:
            return "put_off"
        memory = await self._store.read(head) or Memory(head.incarnation)
        memory = replace(memory, folds=head.folds)
        return _State(head, memory, folding, await self._tail(head, memory, folding))

    async def _fold_all(self, state: _State, deadline: Deadline) -> End:
        """Fold all that is due, one call of the model after the other."""
        if not state.tail.due:
            await self._correct(state)
            return "nothing"
        for _ in range(FOLDS_IN_A_ROW):
            if deadline.remaining(reserve=COMMIT_RESERVE) < MODEL_MINIMUM:
                return "unfinished"
            after = await self._fold(state, deadline)
            if after is None:
                return "failed"
            state = after
            if not state.tail.due:
                return "folded"
        return "unfinished"

    def _folding(self, head: Head) -> Folding | None:
        try:
            return parse_policy(merge_settings(self._default_memory, head.memory)).folding
        except InvalidRequest:
            return None

    async def _tail(self, head: Head, memory: Memory, folding: Folding) -> _Tail:
        items = await self._history.items(head, memory.covers_up_to + 1, head.seq)
        turns = whole_turns(stored_messages(items))
        bounds = tuple(sum(map(self._counter.at_most, turn.messages)) for turn in turns)
        if folding.unit == "tokens" and sum(bounds) <= folding.trigger:
            return _Tail(turns, bounds, 0, exact=False)
        tokens = tuple(sum(map(self._counter.message, turn.messages)) for turn in turns)
        sizes = tokens if folding.unit == "tokens" else tuple(len(turn.messages) for turn in turns)
        return _Tail(turns, tokens, len(due_turns(sizes, int, folding)))

    async def _fold(self, state: _State, deadline: Deadline) -> _State | None:
        """Ask the model once, and write what came of it; None if that is that it failed."""
        head, memory = state.head, state.memory
        batch = _first_batch(state.tail, INPUT_TOKENS - memory.summary.tokens)
        left = state.tail.behind(len(batch.turns))
        answered = await self._summariser.summarise(
            batch,
            memory.summary,
            max_tokens=state.folding.max_summary_tokens,
            deadline=replace(deadline, at=deadline.at - COMMIT_RESERVE),
        )
        if answered.summary is not None:
            memory = memory.folded(answered.summary)
        else:
            memory = self._failed(memory, answered)
            if memory.refused < SKIPPED_AFTER:
                await self._store.change(head, Change(memory, fold_after=self._clock() + backoff(memory.attempts)))
                return None
            memory = memory.skipping(batch.turns[0].first, batch.turns[-1].last)
        await self._store.change(head, Change(memory, left.unfolded - head.unfolded))
        self._metric(Metric.FOLDS)
        return replace(state, head=replace(head, folds=memory.folds, unfolded=left.unfolded), memory=memory, tail=left)

    def _failed(self, memory: Memory, answered: Answered) -> Memory:
        memory = memory.failed(answered.code, refused=answered.refused)
        self._metric(Metric.FOLDS_FAILED, reason=answered.code)
        if memory.attempts >= STUCK_AFTER:
            self._metric(Metric.FOLDS_STUCK)
        return memory

    async def _correct(self, state: _State) -> None:
        """Put the estimate right that had said that something was due."""
        settled = state.memory.settled()
        if settled != state.memory or is_overdue(state.head.unfolded, state.folding):
            left = _within(state.tail.unfolded, state.folding)
            await self._store.change(state.head, Change(settled, left - state.head.unfolded, state.head.fold_after))


def _within(unfolded: Unfolded, folding: Folding) -> Unfolded:
    """Estimate no more than the trigger where nothing is due: the one turn that there is may be larger."""
    if folding.unit == "messages":
        return Unfolded(unfolded.bytes, min(unfolded.messages, folding.trigger))
    return Unfolded(min(unfolded.bytes, folding.trigger * BYTES_A_TOKEN), unfolded.messages)


def _first_batch(tail: _Tail, limit: int) -> Batch[WholeTurn]:
    """Give what the next call of the model takes in of what is due."""
    sizes = dict(zip(map(id, tail.turns), tail.sizes, strict=True))
    return batches(tail.turns[: tail.due], lambda turn: sizes[id(turn)], limit=limit)[0]
