"""The memory function's work on the index: turns that are new to it go in, old vectors are made anew.

A fold indexes every turn but the newest. Without vectors, since the provider is down or the model's are none to
compare, turns go in with their words alone, and a later fold embeds them: an index that waits is worth less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import ChatError, InvalidRequest
from chat_core.history import NOTHING_UNFOLDED, stored_messages
from chat_core.long_term.asking import COMMIT_RESERVE
from chat_core.long_term.index import Addition, Indexed
from chat_core.long_term.recall import DIMENSIONS, Vectors, entry_of, signs, spoken
from chat_core.long_term.store import Change
from chat_core.long_term.turns import whole_turns
from chat_core.memory import merge_settings, parse_add_ons, parse_policy
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import Head
    from chat_core.long_term.embedder import Embedder
    from chat_core.long_term.recall import Entry
    from chat_core.long_term.records import Memory
    from chat_core.long_term.store import Stores
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import MemoryPolicy, RecallSettings
    from chat_core.observability import Count

TURNS_A_FOLD = 512
"""Their rows and the head's fit one transaction."""

EMBED_SECONDS = 10.0
MINIMUM_SECONDS = 2.0
"""With less than that left nothing new is begun."""


class Indexing:
    """Keeps indexes up with their conversations.

    Parameters
    ----------
    stores
        See there.
    embedder
        Makes the vectors; one whose model is not known: words alone.
    tokens
        Counts a text as the chat model does, roughly.
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
        embedder: Embedder,
        *,
        tokens: Callable[[str], int],
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._stores = stores
        self._embedder = embedder
        self._tokens = tokens
        self._default_memory = default_memory
        self._clock = clock
        self._count = count

    async def work(self, head: Head, memory: Memory, deadline: Deadline) -> bool:
        """Index what is not yet, all but the newest turn, in as many folds as it takes.

        Parameters
        ----------
        head
            As it was read.
        memory
            What is remembered at that state.
        deadline
            When the platform ends this invocation.

        Returns
        -------
        bool
            Whether all is done; what is not is for another invocation.

        Raises
        ------
        CommitConflict
            If the conversation has changed: it is to be read again.
        """
        settings = self._settings(head)
        if settings is None:
            return True
        start = max(memory.indexed_up_to, memory.forgotten_up_to)
        items = await self._stores.history.items(head, start + 1, head.seq)
        turns = whole_turns(stored_messages(items))[:-1]
        if not memory.indexed_up_to:
            # What an earlier index left, before it was to be made again.
            await self._stores.index.erase(Indexed.of(head))
        else:
            refreshed = await self._refresh(head, settings, deadline)
            if refreshed and not turns:
                # What environments have read is of the old state.
                await self._write(head, memory.indexed(memory.indexed_up_to), None)
        for first in range(0, len(turns), TURNS_A_FOLD):
            if deadline.remaining(reserve=COMMIT_RESERVE) < MINIMUM_SECONDS:
                return False
            taken = turns[first : first + TURNS_A_FOLD]
            memory = memory.indexed(taken[-1].last)
            head = await self._write(head, memory, await self._addition(taken, settings, deadline))
        return True

    async def _write(self, head: Head, memory: Memory, added: Addition | None) -> Head:
        """Write a fold, and give the head as it is then."""
        # With a summary it is the summary that tells what is left.
        known = NOTHING_UNFOLDED if self._policy(head).folding else head.unfolded
        left = NOTHING_UNFOLDED - known
        await self._stores.memories.change(head, Change(memory, left, head.fold_after, added=added))
        self._count(Metric.FOLDS)
        return replace(head, folds=memory.folds, unfolded=NOTHING_UNFOLDED)

    def _policy(self, head: Head) -> MemoryPolicy:
        return parse_policy(merge_settings(self._default_memory, head.memory))

    def _settings(self, head: Head) -> RecallSettings | None:
        try:
            return parse_add_ons(merge_settings(self._default_memory, head.memory)).recall
        except InvalidRequest:
            return None

    async def _addition(
        self, turns: Sequence[WholeTurn], settings: RecallSettings, deadline: Deadline
    ) -> Addition | None:
        said: list[tuple[Entry, str]] = []
        for turn in turns:
            entry = entry_of(turn.messages, first_seq=turn.first, tokens=self._tokens)
            if entry is not None:
                said.append((replace(entry, seq=turn.last, items=turn.last - turn.first + 1), spoken(turn.messages)))
        if not said:
            return None
        entries, vectors = await self._embedded([entry for entry, _ in said], [text for _, text in said], deadline)
        return Addition(entries, vectors, settings.expires_after)

    async def _embedded(
        self, entries: Sequence[Entry], texts: Sequence[str], deadline: Deadline
    ) -> tuple[tuple[Entry, ...], Vectors | None]:
        """Give the entries their signs, if there are any to be had."""
        timeout = min(EMBED_SECONDS, deadline.remaining(reserve=COMMIT_RESERVE))
        if not self._embedder.known or timeout < MINIMUM_SECONDS:
            return tuple(entries), None
        try:
            found = await self._embedder.vectors(texts, timeout=timeout)
        except ChatError as error:
            self._count(Metric.FOLDS_FAILED, reason=f"embeddings_{error.code}")
            return tuple(entries), None
        made = Vectors(self._embedder.name, DIMENSIONS, int(self._clock()))
        return tuple(replace(one, signs=signs(vector)) for one, vector in zip(entries, found, strict=True)), made

    async def _refresh(self, head: Head, settings: RecallSettings, deadline: Deadline) -> bool:
        """Embed again what has no vector of this model, or one from too long ago; tell whether there was any."""
        if not self._embedder.known:
            return False
        refreshed = False
        index, indexed = self._stores.index, Indexed.of(head)
        fresh = Vectors(self._embedder.name, DIMENSIONS, int(self._clock()) - settings.refresh_after)
        for group in await index.stale(indexed, fresh):
            if deadline.remaining(reserve=COMMIT_RESERVE) < MINIMUM_SECONDS:
                break
            texts = await self._texts(head, group)
            if len(texts) < len(group):
                # Their items have expired: another fold finds the others.
                await index.erase(indexed, [one.seq for one in group if one.seq not in texts])
                continue
            entries, vectors = await self._embedded(group, [texts[one.seq] for one in group], deadline)
            if vectors is None:
                break
            await index.put(indexed, Addition(entries, vectors, settings.expires_after))
            refreshed = True
        return refreshed

    async def _texts(self, head: Head, group: Sequence[Entry]) -> dict[int, str]:
        """Read what was said in turns, by their seq; those of which nothing is left are not among them."""
        items = await self._stores.history.items(head, group[0].first_seq, group[-1].seq)
        messages = stored_messages(items)
        texts = {
            one.seq: spoken([message for message in messages if one.first_seq <= message.seq <= one.seq])
            for one in group
        }
        return {seq: text for seq, text in texts.items() if text}
