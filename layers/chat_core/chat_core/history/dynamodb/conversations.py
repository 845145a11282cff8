"""Conversations as resources: created, listed, changed, and taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import IdempotencyKeyReused, InvalidRequest, StoreUnavailable, no_conversation
from chat_core.history.dynamodb import commits, removal
from chat_core.history.dynamodb.due import due_action
from chat_core.history.dynamodb.heads import INDEX, anchor_members, is_visible, listed_head
from chat_core.history.dynamodb.packing import Attribute, packed
from chat_core.history.dynamodb.reading import Range, complete_head, read_again, read_items
from chat_core.history.dynamodb.rows import Row, earliest, is_expired, key, read_text, text
from chat_core.history.dynamodb.table import Cancelled, ConditionFailed, expressed
from chat_core.history.records import Page
from chat_core.keys import HEAD, QUIET, Address, is_conversation_id, partition_key, unfinished_owner, unnamed_owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history.dynamodb.derived import DerivedRows
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Commit, Deletion, Head, IdempotencyRecord, Order, StoredItem
    from chat_core.history.store import Forget


class DynamoConversations:
    """`chat_core.history.ConversationStore` in a table.

    Parameters
    ----------
    table
        Where the rows are.
    derived
        What of its items others keep there.
    """

    def __init__(self, table: Table, derived: Sequence[DerivedRows] = ()) -> None:
        self._table = table
        self._derived = derived

    async def create(self, head: Head, commit: Commit | None, *, record: IdempotencyRecord | None = None) -> Head:
        """See `chat_core.history.ConversationStore`."""
        now = self._table.clock()
        expires_at = earliest(head.ends_at, self._table.expiry(now))
        new = replace(head, updated_at=now) if commit is None else commits.advanced(head, commit, now)
        actions = commits.creation(head, new, commit, record=record, expires_at=expires_at)
        try:
            await self._table.transact(actions)
        except (Cancelled, StoreUnavailable) as error:
            made = await self._table.get(partition_key(head.address), HEAD)
            if made is None or read_text(made, "incarnation") != head.incarnation:
                raise commits.refusal(error) from None
        return new

    async def recent(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """See `chat_core.history.ConversationStore`."""
        values = {"owner": text(user)}
        condition = "#owner = :owner"
        if after is not None:
            values["after"] = await self._position(user, after)
            condition += f" AND #activity {'<' if order == 'desc' else '>'} :after"
        request = {
            "IndexName": INDEX,
            "ScanIndexForward": order == "asc",
            "Limit": limit + 1,
            **expressed(values, KeyConditionExpression=condition),
        }
        found: list[Head] = []
        start: Row | None = None
        while True:
            rows, start = await self._table.query(request, start)
            now = self._table.clock()
            found += [listed_head(row, user) for row in rows if not is_expired(row, now)]
            if start is None or len(found) > limit:
                return Page(tuple(found[:limit]), has_more=len(found) > limit)

    async def unfinished(self, user: str) -> tuple[Address, ...]:
        """See `chat_core.history.ConversationStore`."""
        found: list[Address] = []
        for owner in (unfinished_owner(user), unnamed_owner(user)):
            request = expressed({"owner": text(owner)}, KeyConditionExpression="#owner = :owner")
            start: Row | None = None
            while True:
                rows, start = await self._table.query({**request, "IndexName": INDEX}, start)
                heads = (row for row in rows if read_text(row, "sk") == HEAD)
                found += [Address(user, read_text(row, "conversation")) for row in heads]
                if start is None:
                    break
        return tuple(found)

    async def _position(self, user: str, conversation: str) -> Attribute:
        row = None
        if is_conversation_id(conversation):
            row = await self._table.get(partition_key(Address(user, conversation)), HEAD)
        if row is None or not is_visible(row, self._table.clock()):
            raise InvalidRequest("The cursor names no conversation of yours.", param="after")
        activity: Attribute = row["activity"]
        return activity

    async def page(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        """See `chat_core.history.ConversationStore`."""
        first, last = 1, head.seq
        if after is not None:
            first, last = (after + 1, last) if order == "asc" else (first, after - 1)
        return await read_items(self._table, head, Range(first, last, order, limit, max_bytes))

    async def update(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        record: IdempotencyRecord | None = None,
        quiet_from: float | None = None,
    ) -> Head:
        """See `chat_core.history.ConversationStore`."""
        given = {"metadata": metadata, "memory": memory}
        changed = {name: packed(dict(value)) for name, value in given.items() if value is not None}
        if memory is not None:
            # The window's start is in the unit of the settings that were.
            changed |= anchor_members(None)
        if not changed:
            return await read_again(self._table, head)
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in changed)
        values = {**changed, "incarnation": text(head.incarnation)}
        condition = "attribute_not_exists(#provisional) AND #incarnation = :incarnation"
        request = expressed(values, UpdateExpression=update, ConditionExpression=condition)
        pk = partition_key(head.address)
        if record is None and quiet_from is None:
            try:
                row = await self._table.update(pk, HEAD, request)
            except ConditionFailed:
                raise no_conversation() from None
            return await complete_head(self._table, head.address.user, row)
        now = self._table.clock()
        actions = [{"Update": {"Key": key(pk, HEAD), **request}}, *commits.record_actions(record, now)]
        if quiet_from is not None:
            expires_at = earliest(head.ends_at, self._table.expiry(now))
            actions.append(due_action(head, quiet_from, expires_at=expires_at, sort_key=QUIET))
        try:
            await self._table.transact(actions)
        except Cancelled as cancelled:
            if 0 in cancelled.failed:
                raise no_conversation() from None
            raise IdempotencyKeyReused("This idempotency key has been used before.") from None
        return await read_again(self._table, head)

    async def delete_items(self, head: Head, deletion: Deletion) -> Head:
        """See `chat_core.history.ConversationStore`."""
        return await removal.delete_items(self._table, head, deletion, derived=self._derived)

    async def erase(self, address: Address, *, copies: Forget | None = None) -> Mapping[str, int]:
        """See `chat_core.history.ConversationStore`."""
        return await removal.erase(self._table, address, derived=self._derived, copies=copies)
