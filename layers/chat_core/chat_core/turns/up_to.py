"""What is remembered of a conversation, as it was at a point of it: nothing of what came later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.long_term import Assertion, FactStore, LongTermStore, Memory
    from chat_core.long_term.fact_store import Known
    from chat_core.turns.sources import Sources


def sources_up_to(sources: Sources, origin: Head, seq: int) -> Sources:
    """Make the sources of a view at a point.

    The index of recall needs no care: it is read for places, and places behind the point are nobody's.
    """
    if seq >= origin.seq:
        return sources
    long_term: Any = _MemoryUpTo(sources.long_term, seq)
    facts: Any = _FactsUpTo(sources.facts, origin, seq)
    return replace(sources, long_term=long_term, facts=facts)


class _MemoryUpTo:
    """The read side of a `LongTermStore`."""

    def __init__(self, store: LongTermStore, seq: int) -> None:
        self._store = store
        self._seq = seq

    async def read(self, head: Head) -> Memory | None:
        memory = await self._store.read(head)
        return memory and memory.up_to(self._seq)


class _FactsUpTo:
    """The read side of a `FactStore`."""

    def __init__(self, store: FactStore, origin: Head, seq: int) -> None:
        self._store = store
        self._origin = origin
        self._seq = seq

    async def of_conversation(self, head: Head) -> Known:
        return self._cut(await self._store.of_conversation(head))

    async def of_user(self, user: str) -> Known:
        return self._cut(await self._store.of_user(user))

    def _cut(self, known: Known) -> Known:
        return replace(known, assertions=tuple(one for each in known.assertions if (one := self._said(each))))

    def _said(self, assertion: Assertion) -> Assertion | None:
        """Leave what was said by then; a person's correction holds whenever it was made."""
        if assertion.conversation != self._origin.conversation or not assertion.evidence:
            return assertion
        said = tuple(one for one in assertion.evidence if one.moment.seq <= self._seq)
        return replace(assertion, evidence=said) if said else None
