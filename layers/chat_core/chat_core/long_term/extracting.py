"""The memory function's work on facts: one call of the model for the turns of a fold, written in one transaction.

It has a pointer of its own: an answer that is none holds up neither summary nor index, and theirs not the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest
from chat_core.history import NOTHING_UNFOLDED, Unfolded, stored_messages
from chat_core.keys import fact_id, item_id
from chat_core.long_term.asking import COMMIT_RESERVE, FOLDS_IN_A_ROW, MODEL_MINIMUM
from chat_core.long_term.due import folding_of
from chat_core.long_term.extractor import Ids
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import resolved
from chat_core.long_term.fold import BYTES_A_TOKEN, INPUT_TOKENS, batches, due_turns
from chat_core.long_term.records import SKIPPED_AFTER, backoff
from chat_core.long_term.store import Change
from chat_core.long_term.turns import whole_turns
from chat_core.memory import merge_settings, parse_add_ons, parse_policy
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.long_term.extractor import Extracted, Extractor
    from chat_core.long_term.fact_store import Known
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.records import Memory
    from chat_core.long_term.store import Stores
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import FactSettings, Folding
    from chat_core.messages import Message
    from chat_core.observability import Count
    from chat_core.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class _Settings:
    """When facts are due, whose are joined, and what counts."""

    folding: Folding
    of_user: bool
    include_assistant: bool
    summarised: bool


class Extracting:
    """Keeps facts up with their conversations.

    Parameters
    ----------
    stores
        What facts are made of, and where they go.
    extractor
        Has a model find facts.
    counter
        Counts as that model does.
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
        extractor: Extractor,
        *,
        counter: TokenCounter,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._stores = stores
        self._extractor = extractor
        self._counter = counter
        self._default_memory = default_memory
        self._clock = clock
        self._count = count

    async def work(self, head: Head, memory: Memory, deadline: Deadline) -> bool:
        """Find what is due; see `chat_core.long_term.worker.Part`."""
        settings = self._settings(head)
        if settings is None or self._clock() < head.fold_after:
            return True
        start = max(memory.facts_up_to, memory.forgotten_up_to)
        if not memory.facts_up_to:
            # What was found before it was to be made again.
            await self._stores.facts.erase(head.address)
        items = await self._stores.history.items(head, start + 1, head.seq)
        turns = whole_turns(stored_messages(items))
        due = self._due(turns, settings.folding)
        left = turns[len(due) :]
        for batch in batches(due, self._tokens, limit=INPUT_TOKENS)[:FOLDS_IN_A_ROW]:
            if deadline.remaining(reserve=COMMIT_RESERVE) < MODEL_MINIMUM:
                return False
            after = await self._fold(head, memory, batch, settings=settings, left=left, deadline=deadline)
            if after is None:
                return False
            head, memory = after
        return True

    def _settings(self, head: Head) -> _Settings | None:
        merged = merge_settings(self._default_memory, head.memory)
        try:
            policy, add_ons = parse_policy(merged), parse_add_ons(merged)
        except InvalidRequest:
            return None
        asked: list[FactSettings] = [one for one in (add_ons.entities, add_ons.knowledge_graph) if one is not None]
        folding = folding_of(policy, add_ons)
        if not asked or folding is None:
            return None
        return _Settings(
            folding,
            of_user=any(one.scope == "user" for one in asked),
            include_assistant=any(one.include_assistant for one in asked),
            summarised=policy.folding is not None,
        )

    def _due(self, turns: Sequence[WholeTurn], folding: Folding) -> Sequence[WholeTurn]:
        bound = sum(self._counter.at_most(message) for turn in turns for message in turn.messages)
        if folding.unit == "tokens":
            return () if bound <= folding.trigger else due_turns(turns, self._tokens, folding)
        return due_turns(turns, lambda turn: len(turn.messages), folding)

    def _tokens(self, turn: WholeTurn) -> int:
        return sum(map(self._counter.message, turn.messages))

    async def _fold(
        self,
        head: Head,
        memory: Memory,
        batch: Batch[WholeTurn],
        *,
        settings: _Settings,
        left: Sequence[WholeTurn],
        deadline: Deadline,
    ) -> tuple[Head, Memory] | None:
        """Ask the model once, and write what came of it; None if that is that it failed."""
        known = await self._known(head, settings)
        extracted = await self._extractor.extract(
            batch,
            resolved(known.assertions, known.tombstones),
            _ids(head, batch),
            forgotten=known.latest,
            include_assistant=settings.include_assistant,
            deadline=deadline,
        )
        first, last = batch.turns[0].first, batch.turns[-1].last
        found = None
        if extracted.taken is not None:
            memory = memory.extracted(last)
            self._tell(extracted)
            found = Found(first, last, extracted.taken.assertions, known.forgotten)
        else:
            self._count(Metric.FOLDS_FAILED, reason=f"facts_{extracted.code}")
            memory = memory.not_extracted(extracted.code, refused=extracted.refused)
            if memory.facts_refused < SKIPPED_AFTER:
                change = Change(memory, fold_after=self._clock() + backoff(memory.attempts))
                await self._stores.memories.change(head, change)
                return None
            memory = memory.extracted(last)
        unfolded = NOTHING_UNFOLDED if settings.summarised else self._size(left) - head.unfolded
        await self._stores.memories.change(head, Change(memory, unfolded, found=found))
        self._count(Metric.FOLDS)
        return replace(head, folds=memory.folds, unfolded=head.unfolded + unfolded, fold_after=0.0), memory

    async def _known(self, head: Head, settings: _Settings) -> Known:
        if settings.of_user:
            return await self._stores.facts.of_user(head.address.user)
        return await self._stores.facts.of_conversation(head)

    def _size(self, turns: Sequence[WholeTurn]) -> Unfolded:
        """Tell what turns are in the head's estimate."""
        return Unfolded(sum(map(self._tokens, turns)) * BYTES_A_TOKEN, sum(len(turn.messages) for turn in turns))

    def _tell(self, extracted: Extracted) -> None:
        for _, reason in extracted.taken.refusals if extracted.taken else ():
            self._count(Metric.FACTS_REFUSED, reason=reason)


def _ids(head: Head, batch: Batch[WholeTurn]) -> Ids:
    last = batch.turns[-1].last

    def item(message: Message) -> str:
        return message.id or item_id("msg", head.incarnation, message.seq)

    return Ids(item=item, fact=lambda place: fact_id(head.incarnation, last, place))
