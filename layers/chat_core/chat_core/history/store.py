"""What the core asks of the durable history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history.records import (
        Commit,
        Head,
        IdempotencyKey,
        IdempotencyRecord,
        Lease,
        Order,
        Page,
        StoredItem,
    )
    from chat_core.keys import Address


class HistoryStore(Protocol):
    """The durable history: the source of truth and of order.

    Every call raises `StoreUnavailable` when the
    store cannot be reached or refuses for load.
    """

    async def take_lease(self, address: Address, lease: Lease, *, create: bool) -> Head:
        """Take the turn lease in one conditional update and return the head as it is then.

        Parameters
        ----------
        create
            Whether a conversation that does not exist is to be made; it stays invisible until a turn is committed.

        Raises
        ------
        NotFound
            If the conversation does not exist and is not to be created.
        IdempotencyInProgress
            If that turn runs under this lease's idempotency key; ``retry_after_ms`` is when its lease expires.
        ConversationLocked
            If another turn holds a lease that has not expired; ``retry_after_ms`` is when it does.
        """
        ...

    async def release_lease(self, address: Address, token: str) -> None:
        """Give the lease back if it is still this token's; take back a conversation that no turn has made visible."""
        ...

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        """Append the turn's items behind the head's seq, with the head and the idempotency record, at once.

        Parameters
        ----------
        head
            As it was read: the commit is conditional on its incarnation and seq.
        token
            The lease to check and clear; None appends without one and leaves another's lease alone.

        Returns
        -------
        Head
            The new head. The items have the places ``head.seq + 1`` to the new ``seq``; ``edits`` is what the caller
            knew, so that what it remembers is not believed when items were deleted meanwhile.

        Raises
        ------
        CommitConflict
            If the head is another one by now.
        NotFound
            If the conversation was erased.
        IdempotencyKeyReused
            If the key has a record already.
        RequestTooLarge
            If the frame or the system message is larger than a row of the store.
        """
        ...

    async def get_head(self, address: Address) -> Head:
        """Read the head, strongly consistent.

        Raises
        ------
        NotFound
            If there is no such conversation, or no turn has made it visible.
        """
        ...

    async def tail(self, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        """Read up to ``limit`` items with a seq below ``before`` and at most ``head.seq``, the newest, in order."""
        ...

    async def read_items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        """Read the items from seq ``first`` to ``last``, both inclusive, in order."""
        ...

    async def idempotency_record(self, user: str, key: IdempotencyKey) -> IdempotencyRecord | None:
        """Read what a request under this key led to; None when there is none or it has expired."""
        ...

    async def create_conversation(
        self,
        head: Head,
        commit: Commit | None,
        *,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """Create a conversation, with its first items if there are any, at once.

        Parameters
        ----------
        commit
            The first items; its own ``idempotency`` is not looked at.
        idempotency
            The record to write with them.

        Raises
        ------
        CommitConflict
            If there is a conversation of this id.
        IdempotencyKeyReused
            If the key has a record already.
        RequestTooLarge
            As for `commit`.
        """
        ...

    async def update_conversation(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """Replace what is not None, conditional on the incarnation; with the settings goes the anchor.

        Parameters
        ----------
        idempotency
            The record to write with it.

        Raises
        ------
        NotFound
            If the conversation was erased.
        IdempotencyKeyReused
            If the key has a record already.
        """
        ...

    async def list_conversations(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """List the user's conversations by last activity: a query on the index, never a scan.

        The heads hold what a list shows: id, incarnation, times, counts, title, metadata and memory settings.

        Raises
        ------
        InvalidRequest
            If ``after`` is no conversation of the user's.
        """
        ...

    async def list_items(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        """List items by place, bounded by count and by bytes of JSON in UTF-8; at least one when there is one."""
        ...

    async def get_item(self, head: Head, seq: int) -> StoredItem:
        """Read one item.

        Raises
        ------
        NotFound
            If there is none at this place.
        """
        ...

    async def delete_items(
        self,
        head: Head,
        seqs: Sequence[int],
        *,
        messages: int,
        unpin: bool = False,
        pinned: StoredItem | None = None,
        title: str | None = None,
    ) -> Head:
        """Delete items and count them off the head, ``messages`` fewer elements of the hot list, at once.

        Parameters
        ----------
        unpin
            Whether the pinned system message is among them.
        pinned
            The item that is pinned instead, or None.
        title
            The conversation's title from now on; None leaves it.

        Returns
        -------
        Head
            As it is then. Items that are not there are not counted, and change nothing.

        Raises
        ------
        NotFound
            If the conversation was erased.
        CommitConflict
            If the head moved since it was read and what is pinned or the title was to change with it.
        """
        ...

    async def erase(self, address: Address) -> Mapping[str, int]:
        """Remove every row of the conversation, the head first, so that nobody finds it half erased.

        Returns
        -------
        Mapping
            How many rows went, by kind: ``conversations``, ``items``, ``idempotency_records``.

        Raises
        ------
        NotFound
            If nothing is left of it.
        """
        ...
