"""The memory function's work on facts: one call of the model for the turns of a fold.

It has a pointer of its own: an answer that is none holds up neither summary nor index, and theirs not the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chat_core.keys import fact_id, item_id
from chat_core.long_term.extractor import Ids
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import resolved
from chat_core.long_term.fold import INPUT_TOKENS, batches
from chat_core.long_term.joining import of_joined, shares_facts
from chat_core.long_term.parts import Step
from chat_core.long_term.records import FACTS, SKIPPED_AFTER
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.deadline import Deadline
    from chat_core.history import Head, History
    from chat_core.long_term.asking import Outcome
    from chat_core.long_term.extractor import Extractor
    from chat_core.long_term.fact_store import FactStore, Known
    from chat_core.long_term.facts.extraction import Taken
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.parts import Settings, State, Work
    from chat_core.long_term.records import Memory
    from chat_core.long_term.turns import WholeTurn
    from chat_core.messages import Message
    from chat_core.observability import Count


@dataclass(frozen=True, slots=True)
class _Fold:
    """What is asked for: turns, and what is known before them."""

    head: Head
    batch: Batch[WholeTurn]
    known: Known
    include_assistant: bool


class Extracting:
    """Keeps facts up with their conversations; see `chat_core.long_term.parts.Part`.

    Parameters
    ----------
    facts
        Where they are kept.
    extractor
        Has a model find facts.
    clock
        Seconds since the epoch.
    count
        Adds to a metric.
    history
        Tells which other conversations share what is known; None: none does.
    """

    def __init__(
        self,
        facts: FactStore,
        extractor: Extractor,
        *,
        clock: Callable[[], float],
        count: Count,
        history: History | None = None,
    ) -> None:
        self._history = history
        self._facts = facts
        self._extractor = extractor
        self._clock = clock
        self._count = count

    def pointer(self, memory: Memory, settings: Settings) -> int | None:
        """See `Part.pointer`."""
        return max(memory.facts_up_to, memory.forgotten_up_to) if settings.facts else None

    def put_off(self, memory: Memory) -> float:
        """See `Part.put_off`."""
        return memory.facts_after

    async def plan(self, state: State) -> Work | None:
        """See `Part.plan`."""
        head, memory, settings = state.head, state.memory, state.settings
        behind = self.pointer(memory, settings)
        if behind is None or settings.folding is None:
            return None
        turns = state.turns(behind)
        due = turns if state.quiet else state.due(turns, settings.folding)
        if not due:
            return None
        if not memory.facts_up_to:
            # What was found before it was to be made again.
            await self._facts.erase(head)
        known = await self._known(head)
        batch = batches(due, state.measure.turn, limit=INPUT_TOKENS)[0]
        fold = _Fold(head, batch, known, include_assistant=any(one.include_assistant for one in settings.facts))

        async def work(deadline: Deadline) -> Step:
            return await self._work(memory, fold, deadline)

        return work

    async def _known(self, head: Head) -> Known:
        """Read what the model is told: of no conversation that does not share it with this one."""
        if self._history is None or not shares_facts(head):
            return await self._facts.of_conversation(head)
        known = await self._facts.of_user(head.address.user)
        return replace(known, assertions=tuple(await of_joined(self._history, head, known.assertions)))

    async def _work(self, memory: Memory, fold: _Fold, deadline: Deadline) -> Step:
        outcome = await self._extractor.extract(
            fold.batch,
            resolved(fold.known.assertions, fold.known.tombstones),
            _ids(fold.head, fold.batch),
            forgotten=fold.known.latest,
            include_assistant=fold.include_assistant,
            deadline=deadline,
        )
        first, last = fold.batch.turns[0].first, fold.batch.turns[-1].last
        if outcome.made is None:
            return self._failed(memory, outcome, last)
        for _, reason in outcome.made.refusals:
            self._count(Metric.FACTS_REFUSED, reason=reason)
        found = Found(first, last, outcome.made.assertions, fold.known.forgotten)
        return Step(lambda now: now.extracted(last), found=found)

    def _failed(self, memory: Memory, outcome: Outcome[Taken], last: int) -> Step:
        self._count(Metric.FOLDS_FAILED, reason=f"{FACTS}{outcome.code}")
        at = self._clock()
        passed = memory.facts_refused + outcome.refused >= SKIPPED_AFTER

        def change(now: Memory) -> Memory:
            now = now.not_extracted(outcome.code, refused=outcome.refused, now=at)
            return now.extracted(last) if passed else now

        return Step(change, moved=passed, failed=not passed, again=passed)


def _ids(head: Head, batch: Batch[WholeTurn]) -> Ids:
    last = batch.turns[-1].last

    def item(message: Message) -> str:
        return message.id or item_id("msg", head.incarnation, message.seq)

    return Ids(item=item, fact=lambda place: fact_id(head.incarnation, last, place))
