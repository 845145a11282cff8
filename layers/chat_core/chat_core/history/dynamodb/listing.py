"""Conversations as lists and updates see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.errors import IdempotencyKeyReused, InvalidRequest
from chat_core.history.dynamodb.commits import record_actions
from chat_core.history.dynamodb.heads import INDEX, anchor_members, is_visible, listed_head
from chat_core.history.dynamodb.packing import Attribute, packed
from chat_core.history.dynamodb.reading import complete_head, no_conversation, read_again
from chat_core.history.dynamodb.rows import Row, is_expired, key, text
from chat_core.history.dynamodb.table import Cancelled, ConditionFailed, expressed
from chat_core.history.records import Page
from chat_core.keys import HEAD, Address, is_conversation_id, partition_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Head, IdempotencyKey, IdempotencyRecord, Order


async def list_conversations(table: Table, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
    """List conversations by last activity; see `HistoryStore.list_conversations`."""
    values = {"owner": text(user)}
    condition = "#owner = :owner"
    if after is not None:
        values["after"] = await _position(table, user, after)
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
        rows, start = await table.query(request, start)
        now = table.clock()
        found += [listed_head(row, user) for row in rows if not is_expired(row, now)]
        if start is None or len(found) > limit:
            return Page(tuple(found[:limit]), has_more=len(found) > limit)


async def _position(table: Table, user: str, conversation: str) -> Attribute:
    row = None
    if is_conversation_id(conversation):
        row = await table.get(partition_key(Address(user, conversation)), HEAD)
    if row is None or not is_visible(row, table.clock()):
        raise InvalidRequest("The cursor names no conversation of yours.", param="after")
    activity: Attribute = row["activity"]
    return activity


async def update_conversation(
    table: Table,
    head: Head,
    *,
    metadata: Mapping[str, str] | None,
    memory: Mapping[str, Any] | None,
    idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None,
) -> Head:
    """Replace metadata or memory settings; see `HistoryStore.update_conversation`."""
    given = {"metadata": metadata, "memory": memory}
    changed = {name: packed(dict(value)) for name, value in given.items() if value is not None}
    if memory is not None:
        # The window's start is in the unit of the settings that were.
        changed |= anchor_members(None)
    if not changed:
        return await read_again(table, head)
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in changed)
    values = {**changed, "incarnation": text(head.incarnation)}
    condition = "attribute_not_exists(#provisional) AND #incarnation = :incarnation"
    request = expressed(values, UpdateExpression=update, ConditionExpression=condition)
    pk = partition_key(head.address)
    if idempotency is not None:
        records = record_actions(head.address.user, idempotency, table.clock())
        try:
            await table.transact([{"Update": {"Key": key(pk, HEAD), **request}}, *records])
        except Cancelled as cancelled:
            if 0 in cancelled.failed:
                raise no_conversation() from None
            raise IdempotencyKeyReused("This idempotency key has been used before.") from None
        return await read_again(table, head)
    try:
        row = await table.update(pk, HEAD, request)
    except ConditionFailed:
        raise no_conversation() from None
    return await complete_head(table, head.address.user, row)
