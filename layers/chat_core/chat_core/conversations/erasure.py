"""Erasing: one item with what was made of it, a conversation, or all of a user's."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chat_core.conversations.resources import find_item
from chat_core.errors import CommitConflict, InvalidRequest, NotFound, StoreUnavailable, no_conversation
from chat_core.history import Deletion, stored_messages
from chat_core.keys import Address
from chat_core.messages import from_items
from chat_core.turns import RESULTS_REACH, results_of, title_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chat_core.deadline import Deadline
    from chat_core.history import Alone, ConversationStore, Head, History, ResponseStore, StoredItem
    from chat_core.hot import HotCopies
    from chat_core.long_term import FactStore
    from chat_core.messages import Content, Item

DELETE_TRIES = 5
PIN_WALK = 1_000
"""Most items that are looked through for the system message that is pinned instead of a deleted one."""

WALK_STEP = 200
TITLE_REACH = 200
AT_ONCE = 4
LIST_PAGE = 100
RESPONSES_AT_ONCE = 500
ALL_RESERVE = 4.0
"""Seconds of an invocation in which no further conversation is begun to be erased."""

COPIES = ("history_lists", "memory_values")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed.

    Parameters
    ----------
    history
        Rows of the durable history, by kind.
    copies
        Keys of the cache that are gone, by kind; whether there was anything under them the cache does not say.
    copies_remain
        Whether the cache did not answer: its copies stay until their TTL.
    complete
        Whether nothing is left to erase.
    """

    history: Mapping[str, int] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COPIES, 0))
    copies_remain: bool = False
    complete: bool = True


class Erasure:
    """Removes what a user wants gone.

    Parameters
    ----------
    history, conversations
        The source of truth.
    hot
        The copies in the cache.
    facts
        What is known about users.
    responses
        Those without a conversation.
    """

    def __init__(
        self,
        history: History,
        conversations: ConversationStore,
        hot: HotCopies,
        facts: FactStore,
        responses: ResponseStore,
    ) -> None:
        self._history = history
        self._conversations = conversations
        self._hot = hot
        self._facts = facts
        self._responses = responses

    async def conversation(self, address: Address) -> Erased:
        """Erase a conversation, or the rest of one.

        Raises
        ------
        NotFound
            If there is none, and nothing was left of one.
        """
        rows, gone = await self._erase(address)
        if rows is None:
            raise no_conversation()
        return Erased(rows, dict.fromkeys(COPIES, int(gone)), copies_remain=not gone)

    async def _erase(self, address: Address) -> tuple[Mapping[str, int] | None, bool]:
        """Erase a conversation; tell what went, None if nothing did, and whether no copies are left."""
        tries: list[bool] = []

        async def forget() -> bool:
            tries.append(await self._hot.forget(address))
            return tries[-1]

        rows = None
        try:
            # When the head is hidden: a turn that writes copies and still finds the head has written before this.
            with suppress(NotFound):
                rows = await self._conversations.erase(address, copies=forget)
        finally:
            if not tries:
                await forget()
        return rows, tries[-1]

    async def everything(self, user: str, deadline: Deadline) -> Erased:
        """Erase all of a user's: conversations, as many as there is time for, responses, and what is known."""
        history = Counter({"conversations": 0, "items": 0, "idempotency_records": 0, "responses": 0})
        copies = Counter(dict.fromkeys(COPIES, 0))
        remain = False
        seen: set[str] = set()
        # The list follows erasures late: what it shows once more is gone.
        while fresh := [name for name in await self._names(user) if name not in seen]:
            for start in range(0, len(fresh), AT_ONCE):
                if not deadline.remaining(reserve=ALL_RESERVE):
                    return Erased(history, copies, copies_remain=remain, complete=False)
                batch = fresh[start : start + AT_ONCE]
                for erased in await asyncio.gather(*(self._if_there(Address(user, name)) for name in batch)):
                    history.update(erased.history)
                    copies.update(erased.copies)
                    remain = remain or erased.copies_remain
            seen.update(fresh)
        complete = await self._responses_alone(user, history, deadline)
        if not (complete and deadline.remaining(reserve=ALL_RESERVE)):
            return Erased(history, copies, copies_remain=remain, complete=False)
        # After the conversations: a fold of theirs is refused by the head that it does not find any more.
        await self._facts.erase_user(user)
        return Erased(history, copies, copies_remain=remain)

    async def _responses_alone(self, user: str, history: Counter[str], deadline: Deadline) -> bool:
        """Erase the responses that have no conversation, and tell whether there was time for all."""
        seen: set[Alone] = set()
        while fresh := [one for one in await self._responses.alone(user) if one not in seen]:
            for start in range(0, len(fresh), RESPONSES_AT_ONCE):
                if not deadline.remaining(reserve=ALL_RESERVE):
                    return False
                batch = fresh[start : start + RESPONSES_AT_ONCE]
                await self._responses.erase(user, batch)
                history["responses"] += len(batch)
            seen.update(fresh)
        return True

    async def _if_there(self, address: Address) -> Erased:
        rows, gone = await self._erase(address)
        counted = dict.fromkeys(COPIES, int(gone and rows is not None))
        return Erased(rows or {}, counted, copies_remain=not gone)

    async def _names(self, user: str) -> list[str]:
        unfinished = await self._conversations.unfinished(user)
        return [*await self._listed(user), *(address.conversation for address in unfinished)]

    async def _listed(self, user: str) -> list[str]:
        names: list[str] = []
        while True:
            after = names[-1] if names else None
            try:
                page = await self._conversations.recent(user, limit=LIST_PAGE, after=after, order="asc")
            except InvalidRequest:  # the last one has been erased meanwhile
                return names
            names += [head.conversation for head in page.data]
            if not page.has_more:
                return names

    async def item(self, address: Address, item: str) -> Head:
        """Delete an item, with the results of the call that it is, from the history and all that was made of it.

        Raises
        ------
        NotFound
            If there is no such item.
        """
        for _ in range(DELETE_TRIES):
            head = await self._history.head(address)
            stored = await find_item(self._history, head, item)
            first, last = max(1, stored.seq - RESULTS_REACH), min(head.seq, stored.seq + RESULTS_REACH)
            near = await self._history.items(head, first, last)
            results = results_of(stored.item, (later for later in near if later.seq > stored.seq))
            doomed = frozenset((stored.seq, *results))
            left = [one for one in near if one.seq not in doomed]
            unpin, pinned = await self._pinned_instead(head, stored, doomed)
            deletion = Deletion(
                sorted(doomed),
                messages=len(stored_messages(near)) - len(stored_messages(left)),
                unpin=unpin,
                pinned=pinned,
                title=await self._title_instead(head, stored, doomed),
            )
            try:
                changed = await self._conversations.delete_items(head, deletion)
            except CommitConflict:
                continue
            await self._hot.refresh(changed)
            return changed
        raise StoreUnavailable("The conversation changes too fast.", retry_after_ms=1000)

    async def _pinned_instead(
        self, head: Head, stored: StoredItem, doomed: Collection[int]
    ) -> tuple[bool, StoredItem | None]:
        """Tell whether the pinned system message goes with an item, and which older one holds again."""
        said = _system_said(stored.item)
        if head.system is None or not said or said != _system_said(head.system):
            return False, None
        before = head.seq + 1
        while before > max(1, head.seq + 1 - PIN_WALK):
            page = await self._history.tail(head, before=before, limit=WALK_STEP)
            for one in reversed(page):
                if one.seq not in doomed and (found := _system_said(one.item)):
                    return (False, None) if found == said else (True, one)
            if not page:
                break
            before = page[0].seq
        return True, None

    async def _title_instead(self, head: Head, stored: StoredItem, doomed: Collection[int]) -> str | None:
        """Find other first words if those of the title were the item's."""
        if not head.title or title_of(from_items([stored.item])) != head.title:
            return None
        first = await self._history.items(head, 1, min(head.seq, TITLE_REACH))
        return title_of(stored_messages([one for one in first if one.seq not in doomed]))


def _system_said(item: Item) -> Content:
    message = from_items([item])[0]
    return message.said if message.role == "system" else None
