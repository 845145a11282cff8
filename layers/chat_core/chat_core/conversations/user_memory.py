"""Long-term memory of a user, over all conversations: forgotten, while the histories stay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from chat_core.errors import InvalidRequest, NotFound
from chat_core.history import Page
from chat_core.keys import Address

if TYPE_CHECKING:
    from chat_core.conversations.memory import ConversationMemory
    from chat_core.deadline import Deadline
    from chat_core.history import ConversationStore
    from chat_core.long_term import FactStore

AT_ONCE = 10
LIST_PAGE = 100
RESERVE = 2.0
"""Seconds at the end of an invocation in which no further conversation is begun."""


class Forgotten(NamedTuple):
    """What was forgotten.

    Parameters
    ----------
    facts
        How many assertions.
    conversations
        How many conversations whose memory was.
    complete
        Whether there is nothing left.
    """

    facts: int
    conversations: int
    complete: bool


class UserMemory:
    """What a user may do with all that is remembered.

    Parameters
    ----------
    store
        The user's conversations.
    memory
        Of one conversation.
    facts
        What is known.
    """

    def __init__(self, store: ConversationStore, memory: ConversationMemory, facts: FactStore) -> None:
        self._store = store
        self._memory = memory
        self._facts = facts

    async def forget(self, user: str, deadline: Deadline) -> Forgotten:
        """Forget the memory of each conversation, and all facts, as far as there is time."""
        count, after = 0, None
        while True:
            names, more = await self._names(user, after)
            for start in range(0, len(names), AT_ONCE):
                if not deadline.remaining(reserve=RESERVE):
                    return Forgotten(0, count, complete=False)
                batch = names[start : start + AT_ONCE]
                count += sum(await asyncio.gather(*(self._forgotten(Address(user, name)) for name in batch)))
            if not more:
                break
            after = names[-1]
        return Forgotten(await self._facts.forget_all(user), count, complete=True)

    async def _names(self, user: str, after: str | None) -> tuple[list[str], bool]:
        try:
            page = await self._store.recent(user, limit=LIST_PAGE, after=after, order="asc")
        except InvalidRequest:  # the last one was erased meanwhile
            page = Page((), has_more=False)
        names = [head.conversation for head in page.data]
        if not page.has_more:
            # What no list shows is remembered, too.
            names += [address.conversation for address in await self._store.unfinished(user)]
        return names, page.has_more

    async def _forgotten(self, address: Address) -> bool:
        try:
            await self._memory.forget(address)
        except NotFound:
            return False
        return True
