"""Reading heads and items: strongly consistent, and at a cost that the length of the history does not raise."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.errors import no_conversation
from chat_core.history.dynamodb.heads import head_from_row, is_visible, pinned_seq
from chat_core.history.dynamodb.items import MARKER, ReadItem, by_item, place, read_item
from chat_core.history.dynamodb.rows import Row, is_expired, key, read_text, text
from chat_core.history.dynamodb.table import expressed
from chat_core.history.records import Page
from chat_core.keys import HEAD, item_sort_key, partition_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Head, Order, StoredItem
    from chat_core.keys import Address

_LOGGER = logging.getLogger(__name__)


async def read_head(table: Table, address: Address) -> Head:
    """Read a head that is there for readers.

    Raises
    ------
    NotFound
        If there is none.
    """
    row = await table.get(partition_key(address), HEAD)
    if row is None or not is_visible(row, table.clock()):
        raise no_conversation()
    return await complete_head(table, address.user, row)


async def read_again(table: Table, head: Head) -> Head:
    """Read a head as it is now.

    Raises
    ------
    NotFound
        If the conversation was erased, be there a new one of its name or not.
    """
    now = await read_head(table, head.address)
    if now.incarnation != head.incarnation:
        raise no_conversation()
    return now


async def complete_head(table: Table, user: str, row: Mapping[str, Attribute]) -> Head:
    """Make a head of its row, and of the item that is its pinned system message where the row only says which."""
    head = head_from_row(row, user)
    seq = pinned_seq(row)
    if not seq:
        return head
    page = await read_items(table, head, Range(seq, seq))
    item = page.data[0].item if page.data else MARKER
    system = {name: value for name, value in item.items() if name != "id"}
    return replace(head, system=None if system == MARKER else system)


class Range(NamedTuple):
    """Which items to read.

    Parameters
    ----------
    first, last
        Seqs, both inclusive; nothing behind the head's seq is read.
    order
        By place.
    limit
        Most items; None for all.
    max_bytes
        Most bytes of JSON, in UTF-8; one item comes whatever its size. None for all.
    """

    first: int
    last: int
    order: Order = "asc"
    limit: int | None = None
    max_bytes: int | None = None


async def read_items(table: Table, head: Head, wanted: Range) -> Page[StoredItem]:
    """Read items by place, in the given order, until the limit, the bytes or the end of the range."""
    first, last = max(wanted.first, 1), min(wanted.last, head.seq)
    limit, max_bytes = wanted.limit, wanted.max_bytes
    found: list[StoredItem] = []
    size = 0
    if first > last or limit == 0:
        return Page((), has_more=False)
    request = items_between(partition_key(head.address), first, last)
    request |= {"ConsistentRead": True, "ScanIndexForward": wanted.order == "asc"}
    if limit is not None:
        # One more tells whether more follows, and the last one read may lack its pieces.
        request["Limit"] = limit + 2
    rows: list[Row] = []
    start: Row | None = None
    while True:
        page, start = await table.query(request, start)
        now = table.clock()
        rows += [row for row in page if is_current(row, head, now)]
        groups = list(by_item(rows))
        # The last item's other pieces may be on the next page.
        rows = groups.pop() if groups and start else []
        for item in (read_item(group, head.incarnation) for group in groups):
            if item is None:
                continue
            size += item.size
            if found and (len(found) == limit or (max_bytes is not None and size > max_bytes)):
                return Page(tuple(found), has_more=True)
            found.append(_noted(item, head))
        if start is None:
            return Page(tuple(found), has_more=False)


async def read_items_at(table: Table, head: Head, seqs: Collection[int]) -> tuple[StoredItem, ...]:
    """Read items by their places, in order, all at once; pieces of split ones are read after."""
    pk = partition_key(head.address)
    wanted = sorted({seq for seq in seqs if 1 <= seq <= head.seq})
    rows = await table.get_all([key(pk, item_sort_key(seq)) for seq in wanted])
    now = table.clock()
    found: list[StoredItem] = []
    for row in sorted(rows, key=place):
        if not is_current(row, head, now):
            continue
        if "parts" in row:
            seq, _ = place(row)
            found += (await read_items(table, head, Range(seq, seq))).data
        elif item := read_item([row], head.incarnation):
            found.append(_noted(item, head))
    return tuple(found)


def items_between(pk: str, first: int, last: int, **expressions: str) -> dict[str, Any]:
    """Ask for the rows of a range of items; a piece's sort key is its item's and more."""
    values = {"pk": text(pk), "first": text(item_sort_key(first)), "last": text(f"{item_sort_key(last)}$")}
    return expressed(values, KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last", **expressions)


def is_current(row: Mapping[str, Attribute], head: Head, now: float) -> bool:
    """Whether a row is the head's: not of an erased conversation of the same name, and not expired."""
    return read_text(row, "incarnation") == head.incarnation and not is_expired(row, now)


def _noted(item: ReadItem, head: Head) -> StoredItem:
    if not item.whole:
        _LOGGER.warning("Item %d of conversation %s cannot be read.", item.stored.seq, head.conversation)
    return item.stored
