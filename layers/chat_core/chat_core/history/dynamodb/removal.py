"""Removing items and whole conversations.

An erasure puts a bare head of another incarnation in the place of the conversation's: readers find nothing, no commit's
condition holds any more, and the index keeps it where no list shows it. Then the other rows go, each conditional on its
incarnation, with the idempotency records that pointers in the partition name; the bare head goes last, so that an
erasure that was killed is found again by its user, under the name or without it. While copies remain in the cache it
stays, to lead to them, until they have expired. Rows of the head's own incarnation
are left alone: someone has made a new conversation under the name. A row that it wrote was preceded by its head, so
the head is read after the rows.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import CommitConflict, StoreUnavailable, no_conversation
from chat_core.history.dynamodb.batches import batches
from chat_core.history.dynamodb.heads import COPIES, head_row, is_provisional
from chat_core.history.dynamodb.items import place
from chat_core.history.dynamodb.reading import is_current, items_between, read_again
from chat_core.history.dynamodb.records import RECORD
from chat_core.history.dynamodb.rows import Row, key, number, read_int, read_text, text
from chat_core.history.dynamodb.table import Cancelled, ConditionFailed, expressed
from chat_core.history.records import Head
from chat_core.keys import DUE, HEAD, MEMORY, QUIET, new_incarnation, partition_key, responses_partition_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.history.dynamodb.derived import DerivedRows
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Deletion
    from chat_core.history.store import Forget
    from chat_core.keys import Address

_TRIES = 5
_FORMER = "former"
_BARE = "#incarnation = :incarnation AND attribute_exists(#provisional) AND attribute_not_exists(#lease_token)"
_COPIES_SECONDS = 86_400  # a copy in the cache lasts no longer
_KEYS = "#pk, #sk, #incarnation, #expires_at, #bytes, #record"


async def erase(
    table: Table, address: Address, *, derived: Sequence[DerivedRows] = (), copies: Forget | None = None
) -> Mapping[str, int]:
    """Remove every row of a conversation; see `chat_core.history.ConversationStore`."""
    pk = partition_key(address)
    incarnation, former, copied = await _hide(table, address)
    counts = {"conversations": 0, "items": 0, "idempotency_records": 0, "responses": 0}
    # Before the rows here: an erasure that was killed finds these again by what is left of those.
    present = await table.get(pk, HEAD) or {}
    for one in derived:
        await one.erase_conversation(address, keep=read_text(present, "incarnation"))
    known = set(former)
    counts["responses"] += await _erase_responses(table, address.user, known)
    start: Row | None = None
    while True:
        rows, start = await table.query(everything_of(pk), start)
        present = await table.get(pk, HEAD) or {}
        # A row of the new head's was written after that head.
        old = [row for row in rows if read_text(row, "incarnation") != read_text(present, "incarnation")]
        expired = {read_text(row, "incarnation") for row in old} - known
        counts["responses"] += await _erase_responses(table, address.user, expired)
        known |= expired
        for row in await _remove(table, _with_records(row for row in old if read_text(row, "sk") != HEAD)):
            kind = _kind(row)
            if kind:
                counts[kind] += 1
        if start is None:
            break
    if incarnation is None and not any(counts.values()):
        raise no_conversation()
    if incarnation is not None:
        gone = copies is None or await copies()
        gone_or_kept = await _let_go(table, pk, incarnation, gone=gone)
        if copied and not any(counts.values()):
            raise no_conversation()
        counts["conversations"] = int(gone_or_kept)
    return counts


async def _hide(table: Table, address: Address) -> tuple[str | None, list[str], bool]:
    """Put a bare head in the place of the conversation's.

    Returns
    -------
    tuple
        The bare head's incarnation, None where there was no head; the incarnations before it, whose responses are
        elsewhere: the bare head remembers them, for an erasure that is killed; and whether there was only the bare head
        of an erasure that had left copies.
    """
    pk = partition_key(address)
    while (found := await table.get(pk, HEAD)) is not None:
        before = read_text(found, "incarnation")
        former = sorted({before, *found.get(_FORMER, {}).get("SS", ())})
        bare = Head(address, new_incarnation(), updated_at=table.clock())
        row = {**head_row(bare, provisional=True, expires_at=None), _FORMER: {"SS": former}}
        same = expressed({"incarnation": text(before)}, ConditionExpression="#incarnation = :incarnation")
        try:
            await table.transact([{"Put": {"Item": row, **same}}])
        except Cancelled:
            continue  # another erasure, or a new conversation under the name
        return bare.incarnation, former, is_provisional(found) and COPIES in found
    return None, [], False


async def _erase_responses(table: Table, user: str, incarnations: Iterable[str]) -> int:
    """Remove the responses of incarnations, and their names; tell how many responses."""
    gone: list[Row] = []
    for each in incarnations:
        rows: list[Row] = []
        start: Row | None = None
        while True:
            page, start = await table.query(everything_of(responses_partition_key(user, each)), start)
            rows += page
            if start is None:
                break
        gone += await _remove(table, rows)
    return sum(read_text(row, "sk").count("#") == 1 for row in gone)


def everything_of(pk: str) -> dict[str, Any]:
    """Ask for all rows of a partition, and for what their removal needs."""
    request = expressed({"pk": text(pk)}, KeyConditionExpression="#pk = :pk", ProjectionExpression=_KEYS)
    return {**request, "ConsistentRead": True}


async def _let_go(table: Table, pk: str, incarnation: str, *, gone: bool) -> bool:
    """Remove a bare head that nobody has taken for a new conversation; tell whether no other erasure has taken over.

    Where its copies are not gone it is kept, for as long as a copy in the cache lasts.
    """
    values: Row = {"incarnation": text(incarnation)}
    try:
        if gone:
            await table.delete(pk, HEAD, expressed(values, ConditionExpression=_BARE))
        else:
            values |= {"expires_at": number(int(table.clock()) + _COPIES_SECONDS), COPIES: {"BOOL": True}}
            update = f"SET #{COPIES} = :{COPIES}, #expires_at = :expires_at REMOVE #{_FORMER}"
            await table.update(pk, HEAD, expressed(values, UpdateExpression=update, ConditionExpression=_BARE))
    except ConditionFailed:
        return read_text(await table.get(pk, HEAD) or {}, "incarnation") == incarnation
    return True


async def delete_items(table: Table, head: Head, deletion: Deletion, *, derived: Sequence[DerivedRows] = ()) -> Head:
    """Delete items; see `chat_core.history.ConversationStore`.

    Pieces of split items go before the transaction, so that a deletion killed between can be repeated. What was made
    of the items goes in the first.
    """
    pk = partition_key(head.address)
    wanted = sorted({seq for seq in deletion.seqs if 1 <= seq <= head.seq})
    for _ in range(_TRIES):
        rows = [
            row for found in await asyncio.gather(*(_rows_of(table, pk, head, seq) for seq in wanted)) for row in found
        ]
        await _remove(table, [row for row in rows if place(row)[1] is not None])
        items = [row for row in rows if place(row)[1] is None]
        if not items:
            return await read_again(table, head)
        beside = [action for one in derived for action in await one.without(head, wanted)]
        if await _take_out(table, head, items, deletion, beside=beside):
            return await read_again(table, head)
    raise StoreUnavailable("Others delete the same items.", retry_after_ms=1_000)


async def _take_out(
    table: Table, head: Head, items: list[Row], deletion: Deletion, *, beside: Sequence[dict[str, Any]]
) -> bool:
    """Delete items and count them off the head; False if others change some of these rows too."""
    pk = partition_key(head.address)
    *first, last = batches(items, _weight)
    try:
        for batch in first:
            counted = _count_off(pk, head, batch, replace(deletion, messages=0))
            await table.transact([counted, *beside, *map(_deletion, batch)])
            beside = ()
        await table.transact([_count_off(pk, head, last, deletion), *beside, *map(_deletion, last)])
    except Cancelled as cancelled:
        if 0 in cancelled.failed:
            present = await table.get(pk, HEAD) or {}
            if read_text(present, "incarnation") == head.incarnation:
                raise CommitConflict from None
            raise no_conversation() from None
        return False
    return True


def _count_off(pk: str, head: Head, rows: list[Row], deletion: Deletion) -> dict[str, Any]:
    values = {
        "incarnation": text(head.incarnation),
        "items": number(-len(rows)),
        "messages": number(-deletion.messages),
        "one": number(1),
    }
    update = "ADD #items :items, #messages :messages, #edits :one"
    condition = "#incarnation = :incarnation"
    if deletion.changes_head:
        values |= {"seq": number(head.seq)}
        condition += " AND #seq = :seq"
    if deletion.title is not None:
        values["title"] = text(deletion.title)
        update += " SET #title = :title"
    if deletion.unpin and deletion.pinned is not None:
        # By its place: small ones too, until the next commit pins another.
        values["system_seq"] = number(deletion.pinned.seq)
        update += f"{', ' if deletion.title is not None else ' SET '}#system_seq = :system_seq REMOVE #system"
    elif deletion.unpin:
        update += " REMOVE #system, #system_seq"
    return {
        "Update": {
            "Key": key(pk, HEAD),
            **expressed(values, UpdateExpression=update, ConditionExpression=condition),
        }
    }


async def _rows_of(table: Table, pk: str, head: Head, seq: int) -> list[Row]:
    request = {**items_between(pk, seq, seq, ProjectionExpression=_KEYS), "ConsistentRead": True}
    found, start = await table.query(request, None)
    while start is not None:
        rows, start = await table.query(request, start)
        found += rows
    now = table.clock()
    return [row for row in found if is_current(row, head, now)]


async def _remove(table: Table, rows: Iterable[Row]) -> list[Row]:
    """Delete rows that are still of their incarnation, and return those."""
    gone: list[Row] = []
    for batch in batches(rows, _weight):
        left = batch
        while left:
            try:
                await table.transact([_deletion(row) for row in left])
            except Cancelled as cancelled:
                left = [row for number, row in enumerate(left) if number not in cancelled.failed]
            else:
                gone += left
                break
    return gone


def _deletion(row: Row) -> dict[str, Any]:
    condition = expressed(row, ConditionExpression="#incarnation = :incarnation")
    return {"Delete": {"Key": {"pk": row["pk"], "sk": row["sk"]}, **condition}}


def _weight(row: Row) -> int:
    return read_int(row, "bytes")


def _with_records(rows: Iterable[Row]) -> list[Row]:
    """Put the idempotency records before the pointers to them; a key used twice has two pointers, the newer last."""
    placed: dict[tuple[str, str], Row] = {}
    for row in rows:
        if "record" in row:
            record = {"pk": row["record"], "sk": text(RECORD), "incarnation": row["incarnation"]}
            placed[read_text(record, "pk"), RECORD] = record
        placed[read_text(row, "pk"), read_text(row, "sk")] = row
    return list(placed.values())


def _kind(row: Row) -> str | None:
    """Name what is counted when the row goes; pieces and pointers are not."""
    if "record" in row:
        return None
    if read_text(row, "sk") == RECORD:
        return "idempotency_records"
    if read_text(row, "sk") in (MEMORY, DUE, QUIET):
        return None
    return "items" if place(row)[1] is None else None
