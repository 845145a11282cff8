"""The history in DynamoDB."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from chat_core.errors import NotFound
from chat_core.history.dynamodb import commits, leases, listing, reading, records, removal
from chat_core.history.dynamodb.rows import is_expired
from chat_core.history.dynamodb.table import Client, Table, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


class DynamoHistoryStore:
    """A `HistoryStore` in one DynamoDB table; `chat_core.history.dynamodb.rows` shows its layout.

    With ``ttl_days`` an item expires that long after it was written, and the conversation that long after its last
    commit: one that goes on loses its oldest items. The head's counts are not lowered by that.

    Calls run in threads, so a call that is cancelled may still be made.

    Parameters
    ----------
    table_name
        The table.
    client
        Makes the client on the first call; boto3 is not imported before.
    clock
        Gives the seconds since the epoch.
    ttl_days
        Days after which history expires, None for never.
    """

    def __init__(
        self,
        table_name: str,
        *,
        client: Callable[[], Client] = connect,
        clock: Callable[[], float] = time.time,
        ttl_days: int | None = None,
    ) -> None:
        self._table = Table(table_name, client=client, clock=clock, ttl_days=ttl_days)

    def close(self) -> None:
        """Close the connections; the next call makes new ones."""
        self._table.close()

    async def take_lease(self, address: Address, lease: Lease, *, create: bool) -> Head:
        """See `HistoryStore.take_lease`; the errors' ``retry_after_ms`` is when the lease that stands will expire."""
        return await leases.take_lease(self._table, address, lease, create=create)

    async def release_lease(self, address: Address, token: str) -> None:
        """See `HistoryStore.release_lease`."""
        await leases.release_lease(self._table, address, token)

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        """See `HistoryStore.commit`."""
        return await commits.commit_turn(self._table, head, commit, token=token)

    async def get_head(self, address: Address) -> Head:
        """See `HistoryStore.get_head`."""
        return await reading.read_head(self._table, address)

    async def tail(self, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        """See `HistoryStore.tail`."""
        page = await reading.read_items(self._table, head, 1, before - 1, order="desc", limit=limit)
        return page.data[::-1]

    async def read_items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        """See `HistoryStore.read_items`."""
        return (await reading.read_items(self._table, head, first, last)).data

    async def idempotency_record(self, user: str, key: IdempotencyKey) -> IdempotencyRecord | None:
        """See `HistoryStore.idempotency_record`."""
        row = await self._table.get(records.record_partition(user, key), records.RECORD)
        if row is None or is_expired(row, self._table.clock()):
            return None
        return records.record_from_row(row)

    async def create_conversation(
        self,
        head: Head,
        commit: Commit | None,
        *,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """See `HistoryStore.create_conversation`."""
        return await commits.create_conversation(self._table, head, commit, idempotency=idempotency)

    async def update_conversation(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """See `HistoryStore.update_conversation`."""
        return await listing.update_conversation(
            self._table, head, metadata=metadata, memory=memory, idempotency=idempotency
        )

    async def list_conversations(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """See `HistoryStore.list_conversations`."""
        return await listing.list_conversations(self._table, user, limit=limit, after=after, order=order)

    async def list_items(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        """See `HistoryStore.list_items`."""
        first, last = 1, head.seq
        if after is not None:
            first, last = (after + 1, last) if order == "asc" else (first, after - 1)
        return await reading.read_items(self._table, head, first, last, order=order, limit=limit, max_bytes=max_bytes)

    async def get_item(self, head: Head, seq: int) -> StoredItem:
        """See `HistoryStore.get_item`."""
        page = await reading.read_items(self._table, head, seq, seq)
        if not page.data:
            raise NotFound("There is no such item.")
        return page.data[0]

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
        """See `HistoryStore.delete_items`."""
        changes = removal.HeadChanges(unpin=unpin, pinned=pinned, title=title)
        return await removal.delete_items(self._table, head, seqs, messages=messages, changes=changes)

    async def erase(self, address: Address) -> Mapping[str, int]:
        """See `HistoryStore.erase`."""
        return await removal.erase(self._table, address)
