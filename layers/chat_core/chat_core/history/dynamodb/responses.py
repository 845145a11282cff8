"""Stored responses: a row each, in a partition for each incarnation, beside the row that names the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import RequestTooLarge
from chat_core.history.dynamodb.batches import BATCH_BYTES, batches
from chat_core.history.dynamodb.heads import INDEX, activity
from chat_core.history.dynamodb.packing import (
    ROW_BYTES,
    Corrupt,
    joined,
    packed,
    packed_bytes,
    pieces_of,
    split,
    unpacked,
)
from chat_core.history.dynamodb.rows import Row, expiry, is_expired, key, number, read_int, read_text, text
from chat_core.history.dynamodb.table import expressed
from chat_core.history.responses import Alone, StoredResponse
from chat_core.keys import HEAD, NAME, response_sort_key, responses_partition_key, unnamed_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.keys import Address
    from chat_core.messages import Item

_COMPRESS_FROM = 256
"""Bytes of a frame's JSON: compressed, the row of an ordinary one is no larger than a kilobyte, which is paid twice."""


_FRAME_BYTES = 150_000
"""Most bytes of a frame in a row with its items, compressed."""


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


def rows_alone(response: StoredResponse) -> list[Row]:
    """Write a response that has no conversation, with its items; the index has it where no list shows it.

    Raises
    ------
    RequestTooLarge
        If it is larger than one transaction.
    """
    row = response_row(response)
    row |= {
        "owner": text(unnamed_owner(response.user)),
        "activity": text(activity(response.created_at, response.incarnation)),
    }
    body = packed(list(response.items))
    if packed_bytes(row["frame"]) <= _FRAME_BYTES and packed_bytes(body) + packed_bytes(row["frame"]) <= ROW_BYTES:
        return [{**row, "body": body}]
    digest, pieces = split(body) or pieces_of(body)
    if packed_bytes(row["frame"]) > _FRAME_BYTES or sum(map(len, pieces)) > BATCH_BYTES:
        raise RequestTooLarge("The response is larger than what is stored at once.")
    shared = {"incarnation": row["incarnation"], "expires_at": row["expires_at"]}
    pk = _partition(response.user, response.incarnation)
    # How many there are stands where the index has it.
    return [
        {**row, "digest": text(digest), "items": number(len(pieces))},
        *(
            {**key(pk, response_sort_key(response.first_seq, part)), **shared, "data": {"B": piece}}
            for part, piece in enumerate(pieces)
        ),
    ]


def name_row(address: Address, incarnation: str, *, expires_at: int | None) -> Row:
    """Write which conversation an incarnation is."""
    return {
        **key(_partition(address.user, incarnation), NAME),
        "incarnation": text(incarnation),
        "conversation": text(address.conversation),
        **expiry(expires_at),
    }


def response_from_row(user: str, row: Mapping[str, Attribute], items: Iterable[Item] = ()) -> StoredResponse:
    """Read a response."""
    return StoredResponse(
        user=user,
        incarnation=read_text(row, "incarnation"),
        first_seq=seq_of(row),
        last_seq=read_int(row, "last"),
        inputs=read_int(row, "inputs"),
        frame=unpacked(row["frame"])[0],
        turn_id=read_text(row, "turn_id"),
        created_at=read_int(row, "created_at"),
        expires_at=read_int(row, "expires_at"),
        conversation=read_text(row, "conversation"),
        items=tuple(items),
        shown="hidden" not in row,
    )


def seq_of(row: Mapping[str, Attribute]) -> int:
    """Tell the seq by which a response is named."""
    return int(read_text(row, "sk").split("#")[1])


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
        try:
            return response_from_row(user, row, await self._items(row))
        except Corrupt:
            return None

    async def _items(self, row: Row) -> list[Item]:
        """Read the items of a response that has no conversation."""
        items: list[Item] = []
        if "body" in row:
            items, _ = unpacked(row["body"])
        elif parts := read_int(row, "items"):
            pk, sk = read_text(row, "pk"), read_text(row, "sk")
            pieces = await self._table.get_all([key(pk, f"{sk}#{part:04d}") for part in range(parts)])
            pieces.sort(key=lambda piece: read_text(piece, "sk"))
            items, _ = joined(read_text(row, "digest"), [piece["data"]["B"] for piece in pieces])
        return items

    async def put(self, response: StoredResponse) -> None:
        """See `ResponseStore.put`."""
        await self._table.put_once(rows_alone(response))

    async def prepare(self) -> None:
        """See `ResponseStore.prepare`."""
        await self._table.prepare()

    async def alone(self, user: str) -> tuple[Alone, ...]:
        """See `ResponseStore.alone`."""
        request = expressed({"owner": text(unnamed_owner(user))}, KeyConditionExpression="#owner = :owner")
        rows = await self._all({**request, "IndexName": INDEX})
        return tuple(
            Alone(read_text(row, "incarnation"), seq_of(row), read_int(row, "items"))
            for row in rows
            if read_text(row, "sk") != HEAD
        )

    async def erase(self, user: str, alone: Sequence[Alone]) -> None:
        """See `ResponseStore.erase`."""
        keys = [
            key(_partition(user, one.incarnation), response_sort_key(one.seq, part))
            for one in alone
            for part in (None, *range(one.parts))
        ]
        for batch in batches(keys, lambda _: 0):
            if batch:
                await self._table.transact([{"Delete": {"Key": each}} for each in batch])

    async def delete(self, user: str, incarnation: str, seq: int) -> bool:
        """See `ResponseStore.delete`."""
        gone = await self._table.delete(_partition(user, incarnation), response_sort_key(seq))
        if gone is not None and "owner" in gone and (parts := read_int(gone, "items")):
            await self.erase(user, [Alone(incarnation, seq, parts)])
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
        return await self._all({**request, "ConsistentRead": True})

    async def _all(self, request: Mapping[str, Any]) -> list[Row]:
        found: list[Row] = []
        start: Row | None = None
        while True:
            rows, start = await self._table.query(request, start)
            found += rows
            if start is None:
                return found
