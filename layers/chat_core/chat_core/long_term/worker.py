"""The memory function's work on one conversation: fold what is due, and write each fold in one transaction.

Delivered twice, late, in any order, to two workers, or not at all: a fold is conditional on the state that it read, so
one of them has an effect, and the row that says that there is work stays until it is done.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from chat_core.errors import CommitConflict, NotFound
from chat_core.history import NOTHING_UNFOLDED, Unfolded, stored_messages
from chat_core.long_term.asking import COMMIT_RESERVE, FOLDS_IN_A_ROW, MODEL_MINIMUM
from chat_core.long_term.due import QUIET_SECONDS, QUIET_TOKENS, is_overdue
from chat_core.long_term.fold import BYTES_A_TOKEN
from chat_core.long_term.parts import Measure, Settings, State, Step
from chat_core.long_term.records import Memory
from chat_core.long_term.store import Change
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term.parts import Part, Work
    from chat_core.long_term.store import Due, DueKind, Stores, Waiting
    from chat_core.memory import Folding
    from chat_core.observability import Count
    from chat_core.tokens import TokenCounter

CONFLICTS = 5

End = Literal["nothing", "folded", "failed", "put_off", "unfinished"]


class MemoryWorker:
    """Does the work that there is on conversations.

    Parameters
    ----------
    stores
        See there.
    parts
        What is made of a history.
    counter
        Counts as the model does.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    count
        Adds to a metric.
    """

    def __init__(
        self,
        stores: Stores,
        parts: Sequence[Part],
        *,
        counter: TokenCounter,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._parts = parts
        self._history = stores.history
        self._store = stores.memories
        self._counter = counter
        self._default_memory = default_memory
        self._clock = clock
        self._metric = count

    async def work(self, address: Address, deadline: Deadline, *, kind: DueKind = "due") -> End:
        """Do the work on a conversation, if there is any.

        Parameters
        ----------
        deadline
            When the platform ends this invocation.
        kind
            What says that there is: see `Due`.

        Raises
        ------
        StoreUnavailable
            If a store failed: the work stays, and may be tried again at once.
        """
        due = await self._store.due(address, kind)
        if due is None:
            return "nothing"
        end: End = "unfinished"
        for _ in range(CONFLICTS):
            try:
                state = await self._state(address)
                if state is not None and await self._is_early(state.head, due):
                    return "put_off"
                if state is None or (due.kind == "quiet" and not state.quiet):
                    end = "nothing"
                else:
                    end = await self._fold_all(state, deadline)
            except CommitConflict:
                continue
            break
        if end in ("nothing", "folded"):
            await self._store.settle(address, due)
        return end

    async def waiting(self, *, before: float, limit: int) -> tuple[Waiting, ...]:
        """See `LongTermStore.waiting`."""
        return await self._store.waiting(before=before, limit=limit)

    async def _is_early(self, head: Head, due: Due) -> bool:
        """Whether it was not quiet yet, though it is time to look; then it is looked again later."""
        until = head.updated_at + QUIET_SECONDS
        if due.kind != "quiet" or self._clock() >= until:
            return False
        await self._store.put_off(head, due, until=until)
        return True

    async def _state(self, address: Address) -> State | None:
        """Read a conversation once for all parts; None where none of them has to do with it."""
        try:
            head = await self._history.head(address)
        except NotFound:
            return None
        settings = Settings.of(head, self._default_memory)
        if settings is None or settings.folding is None:
            return None
        memory = replace(await self._store.read(head) or Memory(head.incarnation), folds=head.folds)
        pointers = [pointer for part in self._parts if (pointer := part.pointer(memory, settings)) is not None]
        items = await self._history.items(head, min(pointers, default=head.seq) + 1, head.seq)
        state = State(head, memory, settings, stored_messages(items), Measure(self._counter))
        return replace(state, quiet=self._is_quiet(state))

    def _is_quiet(self, state: State) -> bool:
        """Whether a conversation that others are joined with has come to rest: they want its newest turns, too."""
        if not state.settings.add_ons.joins or self._clock() < state.head.updated_at + QUIET_SECONDS:
            return False
        memory = state.memory
        parts = [memory.facts_up_to] * bool(state.settings.facts)
        parts += [memory.indexed_up_to] * (state.settings.add_ons.recall is not None)
        behind = max(min(parts), memory.forgotten_up_to)
        return sum(map(state.measure.turn, state.turns(behind))) >= QUIET_TOKENS

    async def _fold_all(self, state: State, deadline: Deadline) -> End:
        """Fold all that is due, all parts of a fold side by side, one fold after the other."""
        ends: set[End] = set()
        left = list(self._parts)
        for _ in range(FOLDS_IN_A_ROW):
            now = self._clock()
            waiting = [part for part in left if now < part.put_off(state.memory)]
            ready = [part for part in left if part not in waiting]
            if waiting and any(part.pointer(state.memory, state.settings) is not None for part in waiting):
                ends.add("put_off")
            left = ready
            planned = [(part, work) for part in left if (work := await part.plan(state)) is not None]
            if not planned:
                break
            if deadline.remaining(reserve=COMMIT_RESERVE) < MODEL_MINIMUM:
                return "unfinished"
            state, steps = await self._fold(state, [work for _, work in planned], deadline)
            for (part, _), step in zip(planned, steps, strict=True):
                if step.failed:
                    ends.add("failed")
                if step.moved:
                    ends.add("folded")
                if not step.again:
                    left.remove(part)
        else:
            return "unfinished"
        if "failed" in ends or "put_off" in ends:
            return "failed" if "failed" in ends else "put_off"
        await self._correct(state)
        return "folded" if "folded" in ends else "nothing"

    async def _fold(self, state: State, works: Sequence[Work], deadline: Deadline) -> tuple[State, list[Step]]:
        """Ask for all that is due, and write it in one transaction; what fails is put off, the rest is not lost."""
        deadline = replace(deadline, at=deadline.at - COMMIT_RESERVE)
        made = await asyncio.gather(*(work(deadline) for work in works), return_exceptions=True)
        steps = [step for step in made if isinstance(step, Step)]
        if steps:
            state = await self._written(state, steps)
        for fault in made:
            if isinstance(fault, BaseException):
                raise fault
        return state, steps

    async def _written(self, state: State, steps: Sequence[Step]) -> State:
        head, memory = state.head, state.memory
        for step in steps:
            memory = step.change(memory)
        moved = any(step.moved for step in steps)
        memory = replace(memory, folds=head.folds + moved)
        after = replace(state, memory=memory)
        unfolded = _unfolded(after) if moved else head.unfolded
        # The estimate is the summary's where there is one: the others' next try is told by the work that stays.
        fold_after = memory.after if state.settings.summary else memory.facts_after
        change = Change(
            memory,
            unfolded - head.unfolded,
            fold_after,
            added=tuple(addition for step in steps for addition in step.added),
            found=_one(step.found for step in steps),
        )
        await self._store.change(head, change)
        if moved:
            self._metric(Metric.FOLDS)
        return replace(after, head=replace(head, folds=memory.folds, unfolded=unfolded, fold_after=fold_after))

    async def _correct(self, state: State) -> None:
        """Put the estimate right that had said that something was due."""
        head, settled = state.head, state.memory.settled()
        if settled != state.memory or is_overdue(head.unfolded, state.settings.folding):
            await self._store.change(head, Change(settled, _unfolded(state) - head.unfolded, head.fold_after))


def _one(found: Iterable[Any]) -> Any:
    return next((one for one in found if one is not None), None)


def _unfolded(state: State) -> Unfolded:
    """Tell what is left to fold, as the head's estimate has it: the summary's, or the facts' where there is none.

    It is no more than the trigger where nothing is due, though the one turn that there is may be larger.
    """
    memory, settings = state.memory, state.settings
    folding: Folding | None = settings.folding
    if folding is None or not (settings.summary or settings.facts):
        return NOTHING_UNFOLDED
    behind = memory.covers_up_to if settings.summary else max(memory.facts_up_to, memory.forgotten_up_to)
    turns = state.turns(behind)
    left = Unfolded(sum(map(state.measure.turn, turns)) * BYTES_A_TOKEN, sum(len(turn.messages) for turn in turns))
    if folding.or_messages is not None:
        left = replace(left, messages=0)  # they are in the index
    if state.due(turns, folding):
        return left
    if folding.unit == "messages":
        return replace(left, messages=min(left.messages, folding.trigger))
    return replace(left, bytes=min(left.bytes, folding.trigger * BYTES_A_TOKEN))
