"""Conversations as lists and updates see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.adapters.dynamodb.heads import INDEX, is_visible, listed_head
from chat_core.adapters.dynamodb.packing import Attribute, packed
from chat_core.adapters.dynamodb.reading import complete_head, no_conversation, read_again
from chat_core.adapters.dynamodb.rows import Row, is_expired, text
from chat_core.adapters.dynamodb.table import ConditionFailed, expressed
from chat_core.errors import InvalidRequest
from chat_core.keys import HEAD, is_conversation_id, partition_key
from chat_core.ports import Page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chat_core.adapters.dynamodb.table import Table
    from chat_core.ports import Head, Order


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
        found += [listed_head(row) for row in rows if not is_expired(row, now)]
        if start is None or len(found) > limit:
            return Page(tuple(found[:limit]), has_more=len(found) > limit)


async def _position(table: Table, user: str, conversation: str) -> Attribute:
    row = None
    if is_conversation_id(conversation):
        row = await table.get(partition_key(user, conversation), HEAD)
    if row is None or not is_visible(row, table.clock()):
        raise InvalidRequest("The cursor names no conversation of yours.", param="after")
    activity: Attribute = row["activity"]
    return activity


async def update_conversation(
    table: Table, user: str, head: Head, *, metadata: Mapping[str, str] | None, memory: Mapping[str, Any] | None
) -> Head:
    """Replace metadata or memory settings; see `HistoryStore.update_conversation`."""
    given = {"metadata": metadata, "memory": memory}
    changed = {name: packed(dict(value)) for name, value in given.items() if value is not None}
    if not changed:
        return await read_again(table, user, head)
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in changed)
    values = {**changed, "incarnation": text(head.incarnation)}
    condition = "#incarnation = :incarnation"
    request = expressed(values, UpdateExpression=update, ConditionExpression=condition)
    try:
        row = await table.update(partition_key(user, head.conversation), HEAD, request)
    except ConditionFailed:
        raise no_conversation() from None
    return await complete_head(table, user, row)
