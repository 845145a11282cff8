"""The memory function's work on the summary: the oldest turns that it does not cover go into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.long_term.fold import INPUT_TOKENS, batches
from chat_core.long_term.parts import Step
from chat_core.long_term.records import SKIPPED_AFTER
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.deadline import Deadline
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.parts import Settings, State, Work
    from chat_core.long_term.records import Memory
    from chat_core.long_term.summariser import Summariser
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import Folding
    from chat_core.observability import Count

STUCK_AFTER = 5
"""Failures in a row that somebody should hear of."""


class Summarising:
    """Keeps summaries up with their conversations; see `chat_core.long_term.parts.Part`.

    Parameters
    ----------
    summariser
        Has a model write summaries.
    clock
        Seconds since the epoch.
    count
        Adds to a metric.
    """

    def __init__(self, summariser: Summariser, *, clock: Callable[[], float], count: Count) -> None:
        self._summariser = summariser
        self._clock = clock
        self._count = count

    def pointer(self, memory: Memory, settings: Settings) -> int | None:
        """See `Part.pointer`."""
        return None if settings.summary is None else memory.covers_up_to

    def put_off(self, memory: Memory) -> float:
        """See `Part.put_off`."""
        return memory.after

    async def plan(self, state: State) -> Work | None:
        """See `Part.plan`."""
        folding, memory = state.settings.summary, state.memory
        if folding is None:
            return None
        due = state.due(state.turns(memory.covers_up_to), folding)
        if not due:
            return None
        batch = batches(due, state.measure.turn, limit=INPUT_TOKENS - memory.summary.tokens)[0]

        async def work(deadline: Deadline) -> Step:
            return await self._work(memory, batch, folding, deadline)

        return work

    async def _work(self, memory: Memory, batch: Batch[WholeTurn], folding: Folding, deadline: Deadline) -> Step:
        outcome = await self._summariser.summarise(
            batch, memory.summary, max_tokens=folding.max_summary_tokens, deadline=deadline
        )
        made, first, last = outcome.made, batch.turns[0].first, batch.turns[-1].last
        if made is not None:
            return Step(lambda now: now.folded(made))
        self._count(Metric.FOLDS_FAILED, reason=outcome.code)
        failed = memory.failed(outcome.code, refused=outcome.refused)
        if failed.attempts >= STUCK_AFTER:
            self._count(Metric.FOLDS_STUCK)
        at, skipped = self._clock(), failed.refused >= SKIPPED_AFTER

        def change(now: Memory) -> Memory:
            now = now.failed(outcome.code, refused=outcome.refused, now=at)
            return now.skipping(first, last) if skipped else now

        return Step(change, moved=skipped, failed=not skipped, again=skipped)
