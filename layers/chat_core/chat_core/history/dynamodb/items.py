"""The rows of items: how a turn's items are written, split and joined."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from chat_core.history.dynamodb.packing import Attribute, Corrupt, joined, packed, packed_bytes, split, unpacked
from chat_core.history.dynamodb.rows import Row, expiry, key, number, read_int, read_text, text
from chat_core.history.records import StoredItem
from chat_core.keys import id_of, item_sort_key, part_sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chat_core.messages import Item, Turn

MARKER: Item = {
    "type": "message",
    "role": "unknown",
    "status": "incomplete",
    "content": [{"type": "input_text", "text": "[this item cannot be read]"}],
}
"""Stands in the place of a stored item that cannot be read."""


class ReadItem(NamedTuple):
    """An item read from its rows.

    Parameters
    ----------
    stored
        The item; a marker in its place if it cannot be read.
    size
        Bytes of its JSON.
    whole
        Whether it could be read.
    """

    stored: StoredItem
    size: int
    whole: bool


def item_rows(pk: str, incarnation: str, turn: Turn, *, first_seq: int, expires_at: int | None) -> list[Row]:
    """Write a turn's items, each followed by its pieces if it has any.

    ``bytes`` is what the value takes up, so that deletions, which do not read it, keep to the size that DynamoDB
    allows a transaction.
    """
    rows: list[Row] = []
    shared: Row = {"incarnation": text(incarnation), "turn_id": text(turn.id), **expiry(expires_at)}
    for seq, item in enumerate(turn.items, first_seq):
        row = {**key(pk, item_sort_key(seq)), **shared, "created_at": number(turn.created_at)}
        body = packed(item)
        cut = split(body)
        if cut is None:
            rows.append({**row, "body": body, "bytes": number(packed_bytes(body))})
            continue
        digest, pieces = cut
        rows.append({**row, "digest": text(digest), "parts": number(len(pieces))})
        rows.extend(
            {
                **key(pk, part_sort_key(seq, part)),
                **shared,
                "digest": text(digest),
                "data": {"B": piece},
                "bytes": number(len(piece)),
            }
            for part, piece in enumerate(pieces)
        )
    return rows


def place(row: Mapping[str, Attribute]) -> tuple[int, int | None]:
    """Tell which item a row belongs to, by its seq, and which piece of it the row is; None for the item's own row."""
    _, seq, *part = read_text(row, "sk").split("#")
    return int(seq), int(part[0]) if part else None


def by_item(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Put the rows of one item together; they come in the order of the sort key, or against it."""
    return (list(group) for _, group in groupby(rows, key=lambda row: place(row)[0]))


def read_item(rows: Iterable[Row], incarnation: str) -> ReadItem | None:
    """Read an item from its rows; None if there are only pieces, left behind by a turn that was killed."""
    placed = {place(row): row for row in rows}
    row = next((row for (_, part), row in placed.items() if part is None), None)
    if row is None:
        return None
    seq, _ = place(row)
    pieces = [placed.get((seq, part), {}) for part in range(read_int(row, "parts"))]
    try:
        item, size = _value(row, pieces)
        whole = True
    except Corrupt:
        item, size, whole = MARKER, 0, False
    shown = {"id": id_of(item, incarnation, seq), **item}
    stored = StoredItem(seq, read_text(row, "turn_id"), read_int(row, "created_at"), shown)
    return ReadItem(stored, size, whole)


def _value(row: Row, pieces: list[Row]) -> tuple[Item, int]:
    digest = read_text(row, "digest")
    if digest:
        # A piece of another digest is of an item that once had this place.
        own = [piece["data"]["B"] for piece in pieces if read_text(piece, "digest") == digest and "data" in piece]
        item, size = joined(digest, own)
    else:
        item, size = unpacked(row.get("body"))
    if not isinstance(item, dict):
        raise Corrupt
    return item, size
