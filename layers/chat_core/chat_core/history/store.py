"""What the core asks of the durable history: the history itself, its leases, and conversations as resources.

Every call raises `StoreUnavailable` when the store cannot be reached or refuses for load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from chat_core.history.records import (
        Commit,
        Deletion,
        Head,
        IdempotencyKey,
        IdempotencyRecord,
        Lease,
        Order,
        Page,
        StoredItem,
    )
    from chat_core.history.responses import StoredResponse
    from chat_core.keys import Address

    Forget = Callable[[], Awaitable[bool]]


class History(Protocol):
    """The source of truth and of order: what a turn reads and what it adds."""

    async def head(self, address: Address) -> Head:
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

    async def items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        """Read the items from seq ``first`` to ``last``, both inclusive, in order."""
        ...

    async def items_at(self, head: Head, seqs: Collection[int]) -> tuple[StoredItem, ...]:
        """Read the items at these places, in order; places that have none are skipped."""
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
            If the record's key has one already.
        RequestTooLarge
            If the frame or the system message is larger than a row of the store.
        """
        ...

    async def record(self, key: IdempotencyKey) -> IdempotencyRecord | None:
        """Read what a request under this key led to; None when there is none or it has expired."""
        ...


class Leases(Protocol):
    """The right to run the one turn of a conversation."""

    async def take(self, address: Address, lease: Lease, *, create: bool) -> Head:
        """Take the lease in one conditional update and return the head as it is then.

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

    async def renew(self, address: Address, token: str, until: float) -> bool:
        """Keep the lease until ``until``, in seconds since the epoch, if it is still this token's; tell whether it is.

        One that has expired is kept too, while nobody else has taken it.
        """
        ...

    async def release(self, address: Address, token: str) -> None:
        """Give the lease back if it is still this token's; take back a conversation that no turn has made visible."""
        ...


class Branches(Protocol):
    """Conversations that are made of others."""

    async def branch(
        self,
        origin: Head,
        head: Head,
        items: Sequence[StoredItem],
        commit: Commit | None,
        *,
        record: IdempotencyRecord | None = None,
    ) -> Head:
        """Create a conversation that has the first items of another, and what was made of them, at once.

        Parameters
        ----------
        origin
            As it was read, before the items were.
        head
            Of the new one, its seq the last that it has in common with the origin.
        items
            The origin's up to there; they keep their places.
        commit
            The turn that follows on them, with the record of its request; None for none.
        record
            What to write under the caller's key where there is no turn.

        Returns
        -------
        Head
            The new one, with the turn if there is one.

        Raises
        ------
        CommitConflict
            If the origin was erased since it was read, or anything in it; or there is a conversation of this id.
        IdempotencyKeyReused
            If the record's key has one already.
        RequestTooLarge
            As for `History.commit`.
        """
        ...

    async def adopt(self, response: StoredResponse, head: Head, commit: Commit) -> None:
        """Make a conversation of a response that has none; who does it after another changes nothing.

        Parameters
        ----------
        head
            Of the conversation, still without items, with the response's incarnation.
        commit
            The response's items.

        Raises
        ------
        NotFound
            If the response was deleted meanwhile.
        """
        ...


class ConversationStore(Protocol):
    """Conversations as resources: created, listed, changed, erased."""

    async def create(self, head: Head, commit: Commit | None, *, record: IdempotencyRecord | None = None) -> Head:
        """Create a conversation, with its first items if there are any, at once.

        Parameters
        ----------
        commit
            The first items; its own ``record`` is not looked at.
        record
            What to write with them under the caller's key.

        Raises
        ------
        CommitConflict
            If there is a conversation of this id.
        IdempotencyKeyReused
            If the record's key has one already.
        RequestTooLarge
            As for `History.commit`.
        """
        ...

    async def recent(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """List the user's conversations by last activity: a query on the index, never a scan.

        The heads hold what a list shows: id, incarnation, times, counts, title, metadata and memory settings.

        Raises
        ------
        InvalidRequest
            If ``after`` is no conversation of the user's.
        """
        ...

    async def unfinished(self, user: str) -> tuple[Address, ...]:
        """Tell what no list shows of a user's: conversations that are begun, half erased, or named by nobody."""
        ...

    async def page(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        """List items by place, bounded by count and by bytes of JSON in UTF-8; at least one when there is one."""
        ...

    async def update(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        record: IdempotencyRecord | None = None,
        quiet_from: float | None = None,
    ) -> Head:
        """Replace what is not None, conditional on the incarnation; with the settings goes the anchor.

        Parameters
        ----------
        quiet_from
            As `Commit` has it.
        record
            What to write with it under the caller's key.

        Raises
        ------
        NotFound
            If the conversation was erased.
        IdempotencyKeyReused
            If the record's key has one already.
        """
        ...

    async def delete_items(self, head: Head, deletion: Deletion) -> Head:
        """Delete items and count them off the head, at once.

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

    async def erase(self, address: Address, *, copies: Forget | None = None) -> Mapping[str, int]:
        """Remove every row of the conversation: nobody finds it half erased, but for `unfinished`.

        Parameters
        ----------
        copies
            Takes what there is of it elsewhere, and tells whether that is gone; awaited when nobody finds it any more,
            and before the row goes by which `unfinished` does. Where it is not gone that row stays for as long as a
            copy may last.

        Returns
        -------
        Mapping
            How many rows went, by kind: ``conversations``, ``items``, ``idempotency_records``, ``responses``.

        Raises
        ------
        NotFound
            If nothing was left of it, or copies alone.
        """
        ...
