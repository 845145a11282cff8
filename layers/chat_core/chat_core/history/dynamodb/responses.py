"""Stored responses: a row each, in a partition for each incarnation, beside the row that names the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.history.dynamodb.packing import packed, unpacked
from chat_core.history.dynamodb.rows import Row, expiry, is_expired, key, number, read_int, read_text, text
from chat_core.history.dynamodb.table import expressed
from chat_core.history.responses import StoredResponse
from chat_core.keys import NAME, response_sort_key, responses_partition_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.keys import Address

_COMPRESS_FROM = 256
"""Bytes of a frame's JSON: compressed, the row of an ordinary one is no larger than a kilobyte, which is paid twice."""


def response_row(response: StoredResponse) -> Row:
    """Write a response of a conversation's."""
    row: Row = {
        **key(_partition(response.user, response.incarnation), response_sort_key(response.first_seq)),
        "incarnation": text(response.incarnation),
        "conversation": text(response.conversation),
        "last": number(response.last_seq),
        "inputs": number(response.inputs),
        "turn_id": text(response.turn_id),
        "created_at": number(response.created_at),
        "frame": packed(dict(response.frame), compress_from=_COMPRESS_FROM),
        "expires_at": number(response.expires_at),
    }
    return row if response.shown else row | {"hidden": {"BOOL": True}}


def name_row(address: Address, incarnation: str, *, expires_at: int | None) -> Row:
    """Write which conversation an incarnation is."""
    return {
        **key(_partition(address.user, incarnation), NAME),
        "incarnation": text(incarnation),
        "conversation": text(address.conversation),
        **expiry(expires_at),
    }


def response_from_row(user: str, row: Mapping[str, Attribute]) -> StoredResponse:
    """Read a response."""
    return StoredResponse(
        user=user,
        incarnation=read_text(row, "incarnation"),
        first_seq=int(read_text(row, "sk").split("#")[1]),
        last_seq=read_int(row, "last"),
        inputs=read_int(row, "inputs"),
        frame=unpacked(row["frame"])[0],
        turn_id=read_text(row, "turn_id"),
        created_at=read_int(row, "created_at"),
        expires_at=read_int(row, "expires_at"),
        conversation=read_text(row, "conversation"),
        shown="hidden" not in row,
    )


def _partition(user: str, incarnation: str) -> str:
    return responses_partition_key(user, incarnation)


class DynamoResponses:
    """`chat_core.history.ResponseStore` in the table of the history.

    Parameters
    ----------
    table
        Of the history.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self, user: str, incarnation: str, seq: int) -> StoredResponse | None:
        """See `ResponseStore.read`."""
        row = await self._table.get(_partition(user, incarnation), response_sort_key(seq))
        if row is None or is_expired(row, self._table.clock()):
            return None
        return response_from_row(user, row)

    async def delete(self, user: str, incarnation: str, seq: int) -> bool:
        """See `ResponseStore.delete`."""
        gone = await self._table.delete(_partition(user, incarnation), response_sort_key(seq))
        return gone is not None

    async def is_empty(self, user: str, incarnation: str) -> bool:
        """See `ResponseStore.is_empty`."""
        rows = await self._rows(user, incarnation, begin="response#")
        now = self._table.clock()
        return all(is_expired(row, now) for row in rows)

    async def conversation_of(self, user: str, incarnation: str) -> str | None:
        """See `ResponseStore.conversation_of`; each response names it, too."""
        now = self._table.clock()
        for row in await self._rows(user, incarnation, begin=""):
            if not is_expired(row, now) and (name := read_text(row, "conversation")):
                return name
        return None

    async def _rows(self, user: str, incarnation: str, *, begin: str) -> list[Row]:
        values = {"pk": text(_partition(user, incarnation)), "first": text(begin or " "), "last": text(f"{begin}~")}
        request = expressed(
            values,
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last",
            ProjectionExpression="#pk, #sk, #incarnation, #conversation, #expires_at",
        )
        found: list[Row] = []
        start: Row | None = None
        while True:
            rows, start = await self._table.query({**request, "ConsistentRead": True}, start)
            found += rows
            if start is None:
                return found
