"""The memory function's work on the index: turns that are new to it go in, old vectors are made anew.

A fold indexes every turn but the newest. Without vectors, since the provider is down or the model's are none to
compare, turns go in with their words alone, and a later fold embeds them: an index that waits is worth less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import ChatError
from chat_core.history import stored_messages
from chat_core.long_term.index import Addition, Indexed
from chat_core.long_term.parts import Step
from chat_core.long_term.recall import DIMENSIONS, Vectors, entry_of, signs, spoken
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head, History
    from chat_core.long_term.embedder import Embedder
    from chat_core.long_term.index import RecallIndex
    from chat_core.long_term.parts import Settings, State, Work
    from chat_core.long_term.recall import Entry
    from chat_core.long_term.records import Memory
    from chat_core.long_term.turns import WholeTurn
    from chat_core.observability import Count

TURNS_A_FOLD = 512
"""Their rows and those of the other parts fit one transaction."""

GROUPS_A_FOLD = 8
"""So many groups of turns are embedded again."""

EMBED_SECONDS = 10.0
MINIMUM_SECONDS = 2.0
"""With less than that left nothing is embedded."""


class Indexing:
    """Keeps indexes up with their conversations; see `chat_core.long_term.parts.Part`.

    Parameters
    ----------
    history
        Has the texts of what is embedded again.
    index
        What is kept up.
    embedder
        Makes the vectors; one whose model is not known: words alone.
    tokens
        Counts a text as the chat model does, roughly.
    clock
        Seconds since the epoch.
    count
        Adds to a metric.
    """

    def __init__(
        self,
        history: History,
        index: RecallIndex,
        embedder: Embedder,
        *,
        tokens: Callable[[str], int],
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._history = history
        self._index = index
        self._embedder = embedder
        self._tokens = tokens
        self._clock = clock
        self._count = count

    def pointer(self, memory: Memory, settings: Settings) -> int | None:
        """See `Part.pointer`."""
        return None if settings.add_ons.recall is None else max(memory.indexed_up_to, memory.forgotten_up_to)

    def put_off(self, memory: Memory) -> float:
        """See `Part.put_off`."""
        return 0.0

    async def plan(self, state: State) -> Work | None:
        """See `Part.plan`: what is new first, then what is old."""
        behind, recall = self.pointer(state.memory, state.settings), state.settings.add_ons.recall
        if behind is None or recall is None:
            return None
        turns = state.turns(behind)
        new = turns[:TURNS_A_FOLD] if state.quiet else turns[:-1][:TURNS_A_FOLD]
        if new:
            if not state.memory.indexed_up_to:
                # What an earlier index left, before it was to be made again.
                await self._index.erase(Indexed.of(state.head))

            async def work(deadline: Deadline) -> Step:
                return await self._indexed(new, recall.expires_after, deadline)

            return work
        groups = await self._old(state.head, recall.refresh_after) if state.memory.indexed_up_to else []
        if not groups:
            return None

        async def again(deadline: Deadline) -> Step:
            return await self._refreshed(groups, recall.expires_after, deadline)

        return again

    async def _indexed(self, turns: Sequence[WholeTurn], lifetime: int | None, deadline: Deadline) -> Step:
        said: list[tuple[Entry, str]] = []
        for turn in turns:
            entry = entry_of(turn.messages, first_seq=turn.first, tokens=self._tokens)
            if entry is not None:
                said.append((replace(entry, seq=turn.last, items=turn.last - turn.first + 1), spoken(turn.messages)))
        last = turns[-1].last
        if not said:
            return Step(lambda now: now.indexed(last))
        entries, vectors = await self._embedded([entry for entry, _ in said], [text for _, text in said], deadline)
        # Where none were to be had they are not asked for again at once.
        again = vectors is not None or not self._embedder.known
        return Step(lambda now: now.indexed(last), again=again, added=(Addition(entries, vectors, lifetime),))

    async def _embedded(
        self, entries: Sequence[Entry], texts: Sequence[str], deadline: Deadline
    ) -> tuple[tuple[Entry, ...], Vectors | None]:
        """Give the entries their signs, if there are any to be had."""
        timeout = min(EMBED_SECONDS, deadline.remaining())
        if not self._embedder.known or timeout < MINIMUM_SECONDS:
            return tuple(entries), None
        try:
            found = await self._embedder.vectors(texts, timeout=timeout)
        except ChatError as error:
            self._count(Metric.FOLDS_FAILED, reason=f"embeddings_{error.code}")
            return tuple(entries), None
        made = Vectors(self._embedder.name, DIMENSIONS, int(self._clock()))
        return tuple(replace(one, signs=signs(vector)) for one, vector in zip(entries, found, strict=True)), made

    async def _old(self, head: Head, refresh_after: int) -> list[tuple[Sequence[Entry], list[str]]]:
        """Read groups with their texts that have no vectors of this model, or some from too long ago."""
        if not self._embedder.known:
            return []
        fresh = Vectors(self._embedder.name, DIMENSIONS, int(self._clock()) - refresh_after)
        found: list[tuple[Sequence[Entry], list[str]]] = []
        for group in (await self._index.stale(Indexed.of(head), fresh))[:GROUPS_A_FOLD]:
            texts = await self._texts(head, group)
            if len(texts) < len(group):
                # Their items have expired: another fold finds the others.
                await self._index.erase(Indexed.of(head), [one.seq for one in group if one.seq not in texts])
            else:
                found.append((group, [texts[one.seq] for one in group]))
        return found

    async def _texts(self, head: Head, group: Sequence[Entry]) -> dict[int, str]:
        """Read what was said in turns, by their seq; those of which nothing is left are not among them."""
        items = await self._history.items(head, group[0].first_seq, group[-1].seq)
        messages = stored_messages(items)
        texts = {
            one.seq: spoken([message for message in messages if one.first_seq <= message.seq <= one.seq])
            for one in group
        }
        return {seq: text for seq, text in texts.items() if text}

    async def _refreshed(
        self, groups: Sequence[tuple[Sequence[Entry], list[str]]], lifetime: int | None, deadline: Deadline
    ) -> Step:
        added: list[Addition] = []
        for group, texts in groups:
            entries, vectors = await self._embedded(group, texts, deadline)
            if vectors is None:
                break
            added.append(Addition(entries, vectors, lifetime))
        # Environments have read the index of the state before: it has to be another one.
        return Step(moved=bool(added), again=len(added) == len(groups), added=tuple(added))
