"""Conversations that are made of others: whole copies of rows, in stages behind one transaction that shows them all.

Where all fits into that transaction there is no other. Else a provisional head comes first, which no reader finds; it
lasts as long as the rows behind it, and the index has it among what is unfinished.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import ChatError, CommitConflict, IdempotencyKeyReused, StoreUnavailable, no_response
from chat_core.history.dynamodb import commits, removal
from chat_core.history.dynamodb.batches import BATCH_BYTES, BATCH_ROWS, batches
from chat_core.history.dynamodb.due import due_action
from chat_core.history.dynamodb.heads import head_row, is_provisional, last_turn, unfolded_members
from chat_core.history.dynamodb.items import item_rows
from chat_core.history.dynamodb.responses import name_row, response_row, rows_alone
from chat_core.history.dynamodb.rows import Row, earliest, key, number, read_int, read_text, row_bytes, text
from chat_core.history.dynamodb.table import Cancelled, expressed
from chat_core.keys import HEAD, QUIET, partition_key
from chat_core.messages import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chat_core.history.dynamodb.derived import DerivedRows
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Commit, Head, IdempotencyRecord, StoredItem
    from chat_core.history.responses import StoredResponse
    from chat_core.messages import Item

Action = dict[str, Any]

_ELSEWHERE_ROWS = 50
_ELSEWHERE_BYTES = 500_000


class DynamoBranches:
    """`chat_core.history.Branches` in a table.

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

    async def branch(
        self,
        origin: Head,
        head: Head,
        items: Sequence[StoredItem],
        commit: Commit | None,
        *,
        record: IdempotencyRecord | None = None,
    ) -> Head:
        """See `chat_core.history.Branches`."""
        table, now = self._table, self._table.clock()
        new = replace(head, updated_at=now)
        inherited, elsewhere = await self._inherited(origin, new)
        new = replace(new, folds=int(bool(inherited or elsewhere)))
        rows = [*_copies(table, new, items), *inherited]
        last: list[Action] = [_unchanged(origin), *_puts(elsewhere)]
        expires_at = earliest(head.ends_at, table.expiry(now))
        records = commits.record_actions(record, now)
        if commit is not None:
            before, new = new, commits.advanced(new, commit, now)
            records = commits.record_actions(commit.record, now)
            last += commits.response_actions(before, commit, expires_at=expires_at)
            pk = partition_key(head.address)
            rows += item_rows(pk, head.incarnation, commit.turn, first_seq=head.seq + 1, expires_at=expires_at)
            if commit.due:
                last.append(due_action(head, now, expires_at=expires_at))
            if commit.quiet_from is not None:
                last.append(due_action(head, commit.quiet_from, expires_at=expires_at, sort_key=QUIET))
        if head.ends_at is None:
            last.append({"Put": {"Item": name_row(head.address, head.incarnation, expires_at=expires_at)}})
        said = [(one.seq, one.item) for one in items]
        said += enumerate(commit.turn.items, head.seq + 1) if commit else ()
        whole = _whole_row(new, said, expires_at=expires_at)
        try:
            await self._make(new, whole, rows, [*last, *records])
        except Cancelled as cancelled:
            await self._discard(head)
            if records and 1 + len(last) in cancelled.failed:
                raise IdempotencyKeyReused("This idempotency key has been used before.") from None
            raise CommitConflict("The conversation has moved on.") from None
        except ChatError:
            await self._discard(head)
            raise
        return new

    async def adopt(self, response: StoredResponse, head: Head, commit: Commit) -> None:
        """See `chat_core.history.Branches`."""
        new = commits.advanced(head, commit, self._table.clock())
        pk = partition_key(head.address)
        rows = item_rows(pk, head.incarnation, commit.turn, first_seq=head.seq + 1, expires_at=head.ends_at)
        there = expressed({}, ConditionExpression="attribute_exists(#pk)")
        row, *pieces = rows_alone(response)
        own = response_row(replace(response, conversation=head.conversation))
        last: list[Action] = [{"Put": {"Item": own, **there}}]
        last += [{"Delete": {"Key": key(read_text(row, "pk"), read_text(piece, "sk"))}} for piece in pieces]
        try:
            whole = _whole_row(new, list(enumerate(commit.turn.items, 1)), expires_at=head.ends_at)
            await self._make(new, whole, rows, last)
        except Cancelled:
            # Another has adopted it, which is the same, or it was deleted.
            if not await self._is_made(new):
                raise no_response() from None

    async def _make(self, head: Head, whole: Row, rows: Sequence[Row], last: Sequence[Action]) -> None:
        """Write a conversation, and what else its last transaction does.

        Raises
        ------
        Cancelled
            If that was refused; the head is its first action, ``last`` the others.
        """
        table, pk = self._table, partition_key(head.address)
        size = sum(map(row_bytes, rows))
        if len(rows) + len(last) < BATCH_ROWS and size + _ELSEWHERE_BYTES <= BATCH_BYTES:
            stages: list[list[Row]] = []
            rest = list(rows)
            condition = expressed({}, ConditionExpression="attribute_not_exists(#pk)")
        else:
            stages, rest = batches(rows, row_bytes), []
            await self._begin(head, whole)
            condition = _provisional(head)
        check = {"ConditionCheck": {"Key": key(pk, HEAD), **condition}}
        for stage in stages:
            await table.transact([check, *_puts(stage)])
        try:
            await table.transact([{"Put": {"Item": whole, **condition}}, *last, *_puts(rest)])
        except StoreUnavailable:
            if not await self._is_made(head):
                raise

    async def _begin(self, head: Head, whole: Row) -> None:
        ends = read_int(whole, "expires_at") or None
        row = head_row(replace(head, seq=0, title=""), provisional=True, expires_at=ends)
        condition = "attribute_not_exists(#pk) OR (#incarnation = :incarnation AND attribute_exists(#provisional))"
        free = expressed({"incarnation": text(head.incarnation)}, ConditionExpression=condition)
        await self._table.transact([{"Put": {"Item": row, **free}}])

    async def _is_made(self, head: Head) -> bool:
        row = await self._table.get(partition_key(head.address), HEAD)
        return row is not None and read_text(row, "incarnation") == head.incarnation and not is_provisional(row)

    async def _discard(self, head: Head) -> None:
        """Remove what was staged; where that fails it is found as unfinished."""
        with suppress(ChatError):
            await removal.erase(self._table, head.address, derived=self._derived)

    async def _inherited(self, origin: Head, head: Head) -> tuple[list[Row], list[Row]]:
        """Give what was made of the history up to the branch's point: in its own partition, and elsewhere.

        What is elsewhere is seen as soon as it is written, so it goes into the last transaction, as far as that holds.
        """
        found = [row for one in self._derived for row in await one.inherited(origin, head)]
        own = [row for row in found if read_text(row, "pk") == partition_key(head.address)]
        elsewhere = [row for row in found if read_text(row, "pk") != partition_key(head.address)]
        size = sum(map(row_bytes, elsewhere))
        if len(elsewhere) > _ELSEWHERE_ROWS or size > _ELSEWHERE_BYTES:
            return [*elsewhere, *own], []
        return own, elsewhere


def _copies(table: Table, head: Head, items: Sequence[StoredItem]) -> Iterator[Row]:
    """Write items under another head, at their own places; a copy lasts no longer than the item itself."""
    pk = partition_key(head.address)
    for stored in items:
        bare = {name: value for name, value in stored.item.items() if name != "id"}
        turn = Turn(stored.turn_id, (bare,), stored.created_at)
        expires_at = earliest(head.ends_at, table.expiry(stored.created_at))
        yield from item_rows(pk, head.incarnation, turn, first_seq=stored.seq, expires_at=expires_at)


def _whole_row(head: Head, said: Sequence[tuple[int, Item]], *, expires_at: int | None) -> Row:
    """Write a head with all that it has; a large system message stays with its item, as in a commit."""
    row = head_row(head, provisional=False, expires_at=expires_at) | unfolded_members(head.unfolded)
    row |= {"folds": number(head.folds)}
    if head.last is not None:
        row["last"] = last_turn(head.last)
    if head.system is not None:
        row |= commits.pinned_members(head.system, said)
    return row


def _unchanged(origin: Head) -> Action:
    """Make sure that nothing was taken out of the origin since it was read."""
    values = {"incarnation": text(origin.incarnation), "edits": number(origin.edits)}
    edits = "#edits = :edits" if origin.edits else "(#edits = :edits OR attribute_not_exists(#edits))"
    condition = f"attribute_not_exists(#provisional) AND #incarnation = :incarnation AND {edits}"
    same = expressed(values, ConditionExpression=condition)
    return {"ConditionCheck": {"Key": key(partition_key(origin.address), HEAD), **same}}


def _provisional(head: Head) -> Action:
    condition = "#incarnation = :incarnation AND attribute_exists(#provisional)"
    return expressed({"incarnation": text(head.incarnation)}, ConditionExpression=condition)


def _puts(rows: Sequence[Row]) -> list[Action]:
    return [{"Put": {"Item": row}} for row in rows]
