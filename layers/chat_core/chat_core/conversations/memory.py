"""Long-term memory of a conversation as a resource: told, forgotten, made again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from chat_core.errors import CommitConflict, StoreUnavailable
from chat_core.history import Unfolded
from chat_core.keys import id_of
from chat_core.long_term import Change, Indexed, Memory, folding_of, is_overdue, resolved
from chat_core.memory import merge_settings, parse_add_ons, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term import Fact, IndexStats, RecallIndex
    from chat_core.long_term.records import Summary
    from chat_core.memory import AddOns
    from chat_core.turns import Sources

TRIES = 5

Status = Literal["none", "current", "pending", "stale", "failed"]


class MemoryState(NamedTuple):
    """Long-term memory of a conversation.

    Parameters
    ----------
    conversation
        Its id.
    status
        ``none``: there is no summary, and nothing is due. ``current``: nothing is due. ``pending``: something is.
        ``stale``: what the summary covered was erased. ``failed``: the last try failed, and another is due.
    covers_up_to
        Id of the last item that the summary covers, or None.
    summary
        None when there is none.
    skipped
        Ids of the first and last item of ranges of which no summary could be made.
    last_error
        A code for the last failure, or None.
    indexed
        What the index of recall holds; None for a conversation without recall.
    facts
        What was said in it, current and ended.
    """

    conversation: str
    status: Status
    covers_up_to: str | None
    summary: Summary | None
    skipped: tuple[tuple[str, str], ...]
    last_error: str | None
    indexed: IndexStats | None = None
    facts: tuple[Fact, ...] = ()


class ConversationMemory:
    """What a user may do with what is remembered of a conversation.

    Parameters
    ----------
    sources
        The history, and what is remembered of it.
    index
        Of recall.
    default_memory
        Memory settings of a conversation that has none.
    """

    def __init__(self, sources: Sources, index: RecallIndex, *, default_memory: Mapping[str, Any]) -> None:
        self._history = sources.history
        self._long_term = sources.long_term
        self._facts = sources.facts
        self._index = index
        self._default_memory = default_memory

    async def get(self, address: Address) -> MemoryState:
        """Tell what is remembered.

        Raises
        ------
        NotFound
            If there is no such conversation.
        """
        head = await self._history.head(address)
        memory = await self._long_term.read(head) or Memory(head.incarnation)
        summary = memory.summary
        known = await self._facts.of_conversation(head)
        return MemoryState(
            conversation=head.conversation,
            status=await self._status(head, memory),
            covers_up_to=await self._item(head, summary.covers_up_to),
            summary=summary if summary.text else None,
            skipped=tuple(
                [(await self._id(head, first), await self._id(head, last)) for first, last in memory.skipped]
            ),
            last_error=memory.last_error or None,
            indexed=await self._index.stats(Indexed.of(head)) if self._add_ons(head).recall else None,
            facts=resolved(known.assertions, known.tombstones),
        )

    def _add_ons(self, head: Head) -> AddOns:
        return parse_add_ons(merge_settings(self._default_memory, head.memory))

    async def _status(self, head: Head, memory: Memory) -> Status:
        if memory.attempts or memory.facts_attempts:
            return "failed"
        if memory.erased:
            return "stale"
        settings = merge_settings(self._default_memory, head.memory)
        folding = folding_of(parse_policy(settings), self._add_ons(head))
        if await self._long_term.due(head.address) or is_overdue(head.unfolded, folding):
            return "pending"
        return "current" if memory.summary.text else "none"

    async def _item(self, head: Head, seq: int) -> str | None:
        return await self._id(head, seq) if seq else None

    async def _id(self, head: Head, seq: int) -> str:
        """Name an item by its place, be it there or not."""
        found = await self._history.items(head, seq, seq)
        return str(found[0].item["id"]) if found else id_of({"type": "message"}, head.incarnation, seq)

    async def forget(self, address: Address) -> None:
        """Forget what was made of the history; no fold reads what is forgotten until it is asked to.

        Raises
        ------
        NotFound
            If there is no such conversation.
        """
        await self._change(address, lambda memory, head: memory.forgotten(head.seq), due=False)

    async def rebuild(self, address: Address) -> None:
        """Have it made again, what was forgotten included; while that is pending it changes nothing.

        Raises
        ------
        NotFound
            If there is no such conversation.
        """
        await self._change(address, lambda memory, _head: None if memory.rebuilding else memory.rebuilt(), due=True)

    async def _change(self, address: Address, changed: Callable[[Memory, Head], Memory | None], *, due: bool) -> None:
        for _ in range(TRIES):
            head = await self._history.head(address)
            before = await self._long_term.read(head) or Memory(head.incarnation, head.folds)
            memory = changed(before, head)
            if memory is None:
                return
            # What was not folded counts from here on; what is to be read again the fold itself counts.
            nothing = Unfolded(-head.unfolded.bytes, -head.unfolded.messages)
            try:
                await self._long_term.change(head, Change(memory, nothing, edited=True, due=due))
            except CommitConflict:
                continue
            # As the change left it: where a fold has written since, it has begun by doing this.
            after = replace(head, edits=head.edits + 1, folds=memory.folds)
            with suppress(CommitConflict):
                await self._index.erase(Indexed.of(after))
                await self._facts.erase(after)
            return
        raise StoreUnavailable("The conversation changes too fast.", retry_after_ms=1_000)
