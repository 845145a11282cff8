"""The turn lease: taken by one conditional update of the head, released conditional on its token.

A conversation that does not exist yet gets a provisional head, which holds the lease and expires by itself; the first
commit makes it a conversation. A call whose answer was lost finds its own token in place and has succeeded.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from chat_core.errors import ConversationLocked, IdempotencyInProgress, StoreUnavailable, no_conversation
from chat_core.history.dynamodb.heads import COPIES, activity, is_provisional, is_visible, lease_from_row
from chat_core.history.dynamodb.reading import complete_head
from chat_core.history.dynamodb.rows import number, read_text, text
from chat_core.history.dynamodb.table import ConditionFailed, expressed
from chat_core.keys import HEAD, new_incarnation, partition_key, unfinished_owner

if TYPE_CHECKING:
    from chat_core.history.dynamodb.rows import Row
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Head, Lease
    from chat_core.keys import Address

_TRIES = 5
_PROVISIONAL_SECONDS = 3_600
_SET_LEASE = "SET #lease_token = :token, #lease_expires_at = :until, #lease_key = :key"
_FREE = "(attribute_not_exists(#lease_token) OR #lease_expires_at <= :now)"
_UNEXPIRED = "(attribute_not_exists(#expires_at) OR #expires_at > :now)"


class DynamoLeases:
    """`chat_core.history.Leases` in a table.

    Parameters
    ----------
    table
        Where the rows are.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def take(self, address: Address, lease: Lease, *, create: bool) -> Head:
        """See `chat_core.history.Leases`."""
        table, pk = self._table, partition_key(address)
        for _ in range(_TRIES):
            row = await _take(table, pk, lease)
            if read_text(row, "lease_token") != lease.token and not _is_conversation(row, table.clock()):
                if not create:
                    raise no_conversation()
                await _sweep(table, pk, row)
                row = await _take_new(table, address, lease, row)
            if read_text(row, "lease_token") == lease.token:
                return await complete_head(table, address.user, row)
            _refuse(row, lease, table.clock())
        raise StoreUnavailable("The conversation cannot be had: others create and erase it.", retry_after_ms=1_000)

    async def renew(self, address: Address, token: str, until: float) -> bool:
        """See `chat_core.history.Leases`."""
        own = expressed(
            {"token": text(token), "until": number(until)},
            UpdateExpression="SET #lease_expires_at = :until",
            ConditionExpression="#lease_token = :token",
        )
        try:
            await self._table.update(partition_key(address), HEAD, own)
        except ConditionFailed:
            return False
        return True

    async def release(self, address: Address, token: str) -> None:
        """See `chat_core.history.Leases`."""
        pk = partition_key(address)
        update = "REMOVE #lease_token, #lease_expires_at, #lease_key"
        own = expressed({"token": text(token)}, UpdateExpression=update, ConditionExpression="#lease_token = :token")
        # What expires by itself holds no items: the head of those that a killed or failed commit staged has to stay.
        unused = "attribute_exists(#provisional) AND attribute_exists(#expires_at)"
        condition = f"{unused} AND attribute_not_exists(#{COPIES}) AND attribute_not_exists(#lease_token)"
        with contextlib.suppress(ConditionFailed):
            if is_provisional(await self._table.update(pk, HEAD, own)):
                await self._table.delete(pk, HEAD, expressed({}, ConditionExpression=condition))


async def _take(table: Table, pk: str, lease: Lease) -> Row:
    """Take the lease of a conversation that exists; return the row with it, or the one that is in the way if any."""
    values = _values(lease) | {"now": number(table.clock())}
    condition = f"attribute_exists(#pk) AND attribute_not_exists(#provisional) AND {_UNEXPIRED} AND {_FREE}"
    try:
        return await table.update(
            pk, HEAD, expressed(values, UpdateExpression=_SET_LEASE, ConditionExpression=condition)
        )
    except ConditionFailed as failed:
        return failed.row or {}


async def _take_new(table: Table, address: Address, lease: Lease, found: Row) -> Row:
    """Take the lease with a provisional head, or of one whose lease has expired; return as `_take` does.

    A head that does not expire leads to rows that are left of a commit or an erasure, and goes on to do so; and so does
    one that leads to copies.
    """
    now = table.clock()
    lasting = is_provisional(found) and ("expires_at" not in found or COPIES in found)
    values = {
        **_values(lease),
        "now": number(now),
        "conversation": text(address.conversation),
        "owner": text(unfinished_owner(address.user)),
        "activity": text(activity(now, address.conversation)),
        "incarnation": text(new_incarnation()),
        "created_at": number(int(now)),
        "zero": number(0),
        "yes": {"BOOL": True},
        "expires_at": number(int(lease.expires_at) + _PROVISIONAL_SECONDS),
    }
    update = (
        f"{_SET_LEASE}, #conversation = :conversation, #incarnation = if_not_exists(#incarnation, :incarnation), "
        "#created_at = if_not_exists(#created_at, :created_at), #seq = if_not_exists(#seq, :zero), "
        "#provisional = :yes, #owner = :owner, #activity = :activity"
    )
    leads = f"(attribute_not_exists(#expires_at) OR attribute_exists(#{COPIES}))"
    condition = f"attribute_exists(#provisional) AND {leads} AND {_FREE}"
    if not lasting:
        update += ", #expires_at = :expires_at"
        expiring = f"attribute_exists(#provisional) AND attribute_exists(#expires_at) AND {_FREE}"
        condition = f"attribute_not_exists(#pk) OR ({expiring})"
    try:
        request = expressed(values, UpdateExpression=update, ConditionExpression=condition)
        return await table.update(partition_key(address), HEAD, request)
    except ConditionFailed as failed:
        return failed.row or {}


async def _sweep(table: Table, pk: str, row: Row) -> None:
    """Remove the head of an expired conversation before DynamoDB does; a provisional one is simply taken over."""
    if not row or is_provisional(row):
        return
    same = expressed(
        {"expires_at": row["expires_at"], "incarnation": row["incarnation"]},
        ConditionExpression="#expires_at = :expires_at AND #incarnation = :incarnation",
    )
    try:
        await table.delete(pk, HEAD, same)
    except ConditionFailed:
        return


def _is_conversation(row: Row, now: float) -> bool:
    return bool(row) and is_visible(row, now)


def _values(lease: Lease) -> Row:
    return {"token": text(lease.token), "until": number(lease.expires_at), "key": text(lease.idempotency_key)}


def _refuse(row: Row, lease: Lease, now: float) -> None:
    """Say who holds the lease; nobody does if the head changed between two calls, so that another try is due."""
    held = lease_from_row(row, now)
    if held is None:
        return
    left = int((held.expires_at - now) * 1000) + 1
    if held.idempotency_key and held.idempotency_key == lease.idempotency_key:
        raise IdempotencyInProgress("The request with this idempotency key is still running.", retry_after_ms=left)
    raise ConversationLocked("Another turn of this conversation is still running.", retry_after_ms=left)
