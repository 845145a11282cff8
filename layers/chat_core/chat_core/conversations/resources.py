"""Conversations as resources: created, read, changed and listed, with their items."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.errors import InvalidRequest, NotFound
from chat_core.history import Commit, Head
from chat_core.keys import Address, is_generated_id, new_conversation_id, new_incarnation, parse_item_id
from chat_core.long_term import folding_of, makes_due, quiet_from, quiet_from_change, unfolded_by
from chat_core.memory import merge_settings, parse_add_ons, parse_policy, pinned_item
from chat_core.messages import Turn, from_items, stored_item
from chat_core.tokens import counter_for
from chat_core.turns import (
    RESULTS_REACH,
    as_committed,
    check_budget,
    check_tool_results,
    conversation_context,
    head_or_new,
    once,
    snapshot_head,
    snapshot_record,
    title_of,
    with_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.history import ConversationStore, History, IdempotencyRecord, Order, Page, StoredItem
    from chat_core.hot import HotCopies
    from chat_core.messages import Item
    from chat_core.turns import Keyed, Sources, TurnLeases

PAGE_BYTES = 2_900_000
"""Lambda answers with at most 6 MB, the body as a JSON string: at worst each byte of JSON takes two there."""

NO_ITEM = "There is no such item."


class Conversations:
    """What a user may do with conversations, beside talking and erasing.

    Parameters
    ----------
    store, sources
        The source of truth, and what is remembered beside it.
    leases
        So that nothing is appended while a turn runs; they do not wait.
    hot
        The copies in the cache.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        store: ConversationStore,
        sources: Sources,
        leases: TurnLeases,
        hot: HotCopies,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._sources = sources
        self._history = sources.history
        self._leases = leases
        self._hot = hot
        self._default_memory = default_memory
        self._clock = clock

    async def create(
        self,
        user: str,
        *,
        metadata: Mapping[str, str],
        memory: Mapping[str, Any],
        items: Sequence[Item],
        keyed: Keyed | None = None,
    ) -> tuple[Head, bool]:
        """Create a conversation under a new id, with its first items; tell whether it was created before.

        Raises
        ------
        InvalidRequest
            If an item is a tool result without its call, or the memory settings are none that a policy has.
        IdempotencyKeyReused
            If the key came before with another request.
        """
        check_tool_results(items, (), at="items")
        self._check_memory(memory, pinned_item(from_items(map(stored_item, items)), None))
        now = self._clock()
        head = Head(
            Address(user, new_conversation_id()),
            new_incarnation(),
            created_at=int(now),
            updated_at=now,
            metadata=metadata,
            memory=memory,
        )
        commit = self._commit_of(items, head) if items else None
        answered = head
        if commit is not None:
            count = len(commit.turn.items)
            answered = replace(head, items=count, messages=commit.messages, title=commit.title)

        async def write() -> Head:
            record = snapshot_record(keyed, answered, now) if keyed else None
            created = await self._store.create(head, commit, record=record)
            if commit is not None:
                await self._hot.follow(head, created, as_committed(commit.turn, created)[1])
            return answered

        return await once(self._history, keyed, write, _snapshot)

    async def get(self, address: Address) -> Head:
        """Read a conversation."""
        return await self._history.head(address)

    async def update(
        self,
        address: Address,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        keyed: Keyed | None = None,
    ) -> tuple[Head, bool]:
        """Replace the metadata, and change the memory settings member by member, where given.

        Returns
        -------
        tuple
            The conversation, and whether this request had been done before.

        Raises
        ------
        InvalidRequest
            If the settings that come out are none that a policy has.
        IdempotencyKeyReused
            If the key came before with another request.
        """

        async def write() -> Head:
            head = await self._history.head(address)
            settings = None if memory is None else merge_settings(head.memory, memory)
            if settings is not None:
                self._check_memory(settings, head.system)
            quiet = None if settings is None else self._quiet_from(head, settings)
            if keyed is None:
                return await self._store.update(head, metadata=metadata, memory=settings, quiet_from=quiet)
            answered = replace(
                head,
                metadata=head.metadata if metadata is None else metadata,
                memory=head.memory if settings is None else settings,
            )
            record = snapshot_record(keyed, answered, self._clock())
            await self._store.update(head, metadata=metadata, memory=settings, record=record, quiet_from=quiet)
            return answered

        return await once(self._history, keyed, write, _snapshot)

    def _quiet_from(self, head: Head, settings: Mapping[str, Any]) -> float | None:
        before, after = (parse_add_ons(merge_settings(self._default_memory, one)) for one in (head.memory, settings))
        return quiet_from_change(head, before, after, self._clock())

    def _check_memory(self, settings: Mapping[str, Any], system: Item | None) -> None:
        pinned = from_items([system])[0] if system else None
        check_budget(parse_policy(merge_settings(self._default_memory, settings)), pinned)

    async def recent(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """List the user's conversations by last activity."""
        return await self._store.recent(user, limit=limit, after=after, order=order)

    async def items(self, address: Address, *, limit: int, after: str | None, order: Order) -> Page[StoredItem]:
        """List a conversation's items: none yet under a name of the caller's own that nothing came under.

        Raises
        ------
        InvalidRequest
            If ``after`` is no item of this conversation.
        """
        head = await head_or_new(self._history, address)
        place = None
        if after is not None:
            place = place_of(head, after)
            if place is None:
                raise InvalidRequest("`after` is no item of this conversation.", param="after")
        return await self._store.page(head, limit=limit, after=place, order=order, max_bytes=PAGE_BYTES)

    async def item(self, address: Address, item: str) -> StoredItem:
        """Read one item."""
        head = await self._history.head(address)
        return await find_item(self._history, head, item)

    async def contexts(
        self, address: Address, overrides: Sequence[Mapping[str, Any] | None], *, model: str
    ) -> list[dict[str, Any]]:
        """Tell what a model would see of a conversation, through each of some settings, and what the cache has of it.

        See `conversation_context`.
        """
        head, contexts = await conversation_context(
            self._sources,
            address,
            default_memory=self._default_memory,
            overrides=overrides,
            model=model,
        )
        hot = await self._hot.shown(head)
        return [{**context, "hot": hot} for context in contexts]

    async def add_items(
        self,
        address: Address,
        items: Sequence[Item],
        *,
        deadline: Deadline,
        keyed: Keyed | None = None,
    ) -> tuple[tuple[StoredItem, ...], bool]:
        """Append items, whole or not at all, and not while a turn runs; the first under a name of one's own create it.

        Returns
        -------
        tuple
            The items as the history has them, and whether they had been appended before.

        Raises
        ------
        InvalidRequest
            If an item is a tool result without its call.
        ConversationLocked, IdempotencyInProgress
            If a turn runs, or this very request.
        IdempotencyKeyReused
            If the key came before with another request.
        """

        async def write() -> tuple[StoredItem, ...]:
            key = keyed.key if keyed else None
            own = not is_generated_id(address.conversation)
            head, token, _ = await self._leases.take(address, deadline, key=key, create=own, reserve=0)
            try:
                tail = await self._history.tail(head, before=head.seq + 1, limit=RESULTS_REACH)
                check_tool_results(items, from_items(stored.item for stored in tail), at="items")
                commit = self._commit_of(items, head, keyed)
                new = await self._history.commit(head, commit, token=token)
            except BaseException:
                await self._leases.release(address, token, deadline)
                raise
            added, messages = as_committed(commit.turn, new)
            await self._hot.follow(head, new, messages)
            return added

        async def replay(record: IdempotencyRecord, head: Head) -> tuple[StoredItem, ...]:
            return await self._history.items(head, record.first_seq, record.last_seq)

        return await once(self._history, keyed, write, replay)

    def _commit_of(self, items: Sequence[Item], head: Head, keyed: Keyed | None = None) -> Commit:
        stored = tuple(stored_item(item) for item in items)
        messages = from_items(stored)
        now = self._clock()
        unfolded = unfolded_by(messages, counter_for("").at_most)
        settings = merge_settings(self._default_memory, head.memory)
        add_ons = parse_add_ons(settings)
        folding = folding_of(parse_policy(settings), add_ons)
        commit = Commit(
            turn=Turn(f"turn_{uuid4().hex}", stored, int(now)),
            inputs=len(stored),
            messages=len(messages),
            fingerprint=keyed.fingerprint if keyed else "",
            system=pinned_item(messages, head.system),
            anchor=head.anchor,
            title=head.title or title_of(messages),
            unfolded=unfolded,
            due=makes_due(head, unfolded, folding, now),
            quiet_from=quiet_from(head, add_ons, now),
        )
        return with_record(commit, keyed, head, now)


async def _snapshot(record: IdempotencyRecord, _head: Head) -> Head:
    return snapshot_head(record)


def place_of(head: Head, item: str) -> int | None:
    """Tell an item's place from its id; None if it is no item of this conversation."""
    parsed = parse_item_id(item)
    if parsed is None or parsed[0] != head.incarnation or not 1 <= parsed[1] <= head.seq:
        return None
    return parsed[1]


async def find_item(history: History, head: Head, item: str) -> StoredItem:
    """Read one item by its id.

    Raises
    ------
    NotFound
        If there is none.
    """
    place = place_of(head, item)
    if place is None:
        raise NotFound(NO_ITEM)
    found = await history.items(head, place, place)
    if not found or found[0].item.get("id") != item:
        raise NotFound(NO_ITEM)
    return found[0]
