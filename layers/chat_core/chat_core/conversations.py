"""Conversations as resources: created, read, changed, listed and erased, with their items."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.answers import committed, title_of
from chat_core.errors import CommitConflict, InvalidRequest, NotFound, StoreUnavailable
from chat_core.formats.items import from_items, pinned_system, stored_item
from chat_core.keys import new_conversation_id, new_incarnation, parse_item_id
from chat_core.memory import merge_settings, parse_policy
from chat_core.messages import Turn
from chat_core.ports import Commit, Head, Lease
from chat_core.tool_results import check_tool_results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.hot_copies import HotCopies
    from chat_core.messages import Item
    from chat_core.ports import HistoryStore, Order, Page, StoredItem

LEASE_SECONDS = 12.0
PAGE_BYTES = 5_000_000
RESULTS_REACH = 200
COMMIT_TRIES = 5
NO_ITEM = "There is no such item."


class Conversations:
    """What a user may do with conversations, beside talking.

    Parameters
    ----------
    history
        The source of truth.
    hot
        The copies in the cache.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        history: HistoryStore,
        hot: HotCopies,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._history = history
        self._hot = hot
        self._default_memory = default_memory
        self._clock = clock

    async def create(
        self, user: str, *, metadata: Mapping[str, str], memory: Mapping[str, Any], items: Sequence[Item]
    ) -> Head:
        """Create a conversation under a new id, with its first items.

        Raises
        ------
        InvalidRequest
            If an item is a tool result without its call, or the memory settings are none that a policy has.
        """
        check_tool_results(items, (), at="items")
        self._check_memory(memory)
        now = self._clock()
        head = Head(
            conversation=new_conversation_id(),
            incarnation=new_incarnation(),
            created_at=int(now),
            updated_at=now,
            metadata=metadata,
            memory=memory,
        )
        commit = self._commit_of(items, head) if items else None
        created = await self._history.create_conversation(user, head, commit)
        if commit is not None:
            await self._hot.follow(user, head, created, committed(commit.turn, created)[1])
        return created

    async def get(self, user: str, conversation: str) -> Head:
        """Read a conversation."""
        return await self._history.get_head(user, conversation)

    async def update(
        self, user: str, conversation: str, *, metadata: Mapping[str, str] | None, memory: Mapping[str, Any] | None
    ) -> Head:
        """Replace the metadata, and change the memory settings member by member, where given.

        Raises
        ------
        InvalidRequest
            If the settings that come out are none that a policy has.
        """
        head = await self._history.get_head(user, conversation)
        if memory is not None:
            memory = merge_settings(head.memory, memory)
            self._check_memory(memory)
        return await self._history.update_conversation(user, head, metadata=metadata, memory=memory)

    def _check_memory(self, settings: Mapping[str, Any]) -> None:
        parse_policy(merge_settings(self._default_memory, settings))

    async def erase(self, user: str, conversation: str) -> Mapping[str, int]:
        """Remove a conversation from the history and the cache; tell how many rows went, by kind."""
        erased = await self._history.erase(user, conversation)
        await self._hot.forget(user, conversation)
        return erased

    async def recent(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """List the user's conversations by last activity."""
        return await self._history.list_conversations(user, limit=limit, after=after, order=order)

    async def items(
        self, user: str, conversation: str, *, limit: int, after: str | None, order: Order
    ) -> Page[StoredItem]:
        """List a conversation's items.

        Raises
        ------
        InvalidRequest
            If ``after`` is no item of this conversation.
        """
        head = await self._history.get_head(user, conversation)
        place = None
        if after is not None:
            place = self._place(head, after)
            if place is None:
                raise InvalidRequest("`after` is no item of this conversation.", param="after")
        return await self._history.list_items(user, head, limit=limit, after=place, order=order, max_bytes=PAGE_BYTES)

    async def item(self, user: str, conversation: str, item: str) -> StoredItem:
        """Read one item."""
        head = await self._history.get_head(user, conversation)
        place = self._place(head, item)
        if place is None:
            raise NotFound(NO_ITEM)
        stored = await self._history.get_item(user, head, place)
        if stored.item.get("id") != item:
            raise NotFound(NO_ITEM)
        return stored

    @staticmethod
    def _place(head: Head, item: str) -> int | None:
        parsed = parse_item_id(item)
        if parsed is None or parsed[0] != head.incarnation or not 1 <= parsed[1] <= head.seq:
            return None
        return parsed[1]

    async def add_items(self, user: str, conversation: str, items: Sequence[Item]) -> list[Item]:
        """Append items, whole or not at all, and not while a turn runs; give them with their ids.

        Raises
        ------
        InvalidRequest
            If an item is a tool result without its call.
        ConversationLocked
            If a turn runs.
        """
        lease = Lease(token=uuid4().hex, expires_at=self._clock() + LEASE_SECONDS)
        head = await self._history.take_lease(user, conversation, lease, create=False)
        try:
            tail = await self._history.tail(user, head, before=head.seq + 1, limit=RESULTS_REACH)
            check_tool_results(items, from_items(stored.item for stored in tail), at="items")
            commit = self._commit_of(items, head)
            new = await self._history.commit(user, head, commit, token=lease.token)
        except BaseException:
            await self._history.release_lease(user, head, lease.token)
            raise
        added, messages = committed(commit.turn, new)
        await self._hot.follow(user, head, new, messages)
        return added

    def _commit_of(self, items: Sequence[Item], head: Head) -> Commit:
        stored = tuple(stored_item(item) for item in items)
        messages = from_items(stored)
        return Commit(
            turn=Turn(f"turn_{uuid4().hex}", stored, int(self._clock())),
            inputs=len(stored),
            messages=len(messages),
            system=pinned_system(stored, head.system),
            window_start=head.window_start,
            title=head.title or title_of(messages),
        )

    async def delete_item(self, user: str, conversation: str, item: str) -> Head:
        """Delete an item, with the results of the call that it is, from the history and the copies."""
        for _ in range(COMMIT_TRIES):
            head = await self._history.get_head(user, conversation)
            stored = await self.item(user, conversation, item)
            doomed = [stored.seq]
            if calls := {call.id for message in from_items([stored.item]) for call in message.tool_calls}:
                following = await self._history.read_items(
                    user, head, stored.seq + 1, min(head.seq, stored.seq + RESULTS_REACH)
                )
                doomed += [later.seq for later in following if later.item.get("call_id") in calls]
            try:
                changed = await self._history.delete_items(user, head, doomed, messages=len(doomed))
            except CommitConflict:
                continue
            await self._hot.rewrite(user, changed)
            return changed
        raise StoreUnavailable("The conversation changes too fast.", retry_after_ms=1000)
