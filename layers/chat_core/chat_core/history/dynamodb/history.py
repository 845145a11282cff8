"""The history of conversations: heads, items and idempotency records read, turns committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.history.dynamodb import commits, records
from chat_core.history.dynamodb.reading import Range, read_head, read_items, read_items_at
from chat_core.history.dynamodb.rows import is_expired

if TYPE_CHECKING:
    from collections.abc import Collection

    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Commit, Head, IdempotencyKey, IdempotencyRecord, StoredItem
    from chat_core.keys import Address


class DynamoHistory:
    """`chat_core.history.History` in a table; `chat_core.history.dynamodb.rows` shows its layout.

    Parameters
    ----------
    table
        Where the rows are.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def head(self, address: Address) -> Head:
        """See `chat_core.history.History`."""
        return await read_head(self._table, address)

    async def tail(self, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        """See `chat_core.history.History`."""
        page = await read_items(self._table, head, Range(1, before - 1, order="desc", limit=limit))
        return page.data[::-1]

    async def items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        """See `chat_core.history.History`."""
        return (await read_items(self._table, head, Range(first, last))).data

    async def items_at(self, head: Head, seqs: Collection[int]) -> tuple[StoredItem, ...]:
        """See `chat_core.history.History`."""
        return await read_items_at(self._table, head, seqs)

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        """See `chat_core.history.History`."""
        new = commits.advanced(head, commit, self._table.clock())
        await commits.append(self._table, head, new, commit, token=token)
        return new

    async def record(self, key: IdempotencyKey) -> IdempotencyRecord | None:
        """See `chat_core.history.History`."""
        row = await self._table.get(records.record_partition(key), records.RECORD)
        if row is None or is_expired(row, self._table.clock()):
            return None
        return records.record_from_row(key, row)
