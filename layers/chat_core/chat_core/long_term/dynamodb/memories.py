"""What is remembered of a conversation, as one row of its partition, and the work that there is on it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.errors import CommitConflict
from chat_core.history.dynamodb.due import due_action
from chat_core.history.dynamodb.heads import INDEX, UNFOLDED, activity
from chat_core.history.dynamodb.memory_row import memory_expiry
from chat_core.history.dynamodb.packing import packed, unpacked
from chat_core.history.dynamodb.rows import (
    Row,
    earliest,
    expiry,
    is_expired,
    key,
    number,
    read_int,
    read_seconds,
    read_text,
    text,
)
from chat_core.history.dynamodb.table import Cancelled, ConditionFailed, expressed
from chat_core.keys import DUE, DUE_OWNER, HEAD, MEMORY, QUIET, Address, partition_key
from chat_core.long_term.dynamodb.fact_rows import found_actions
from chat_core.long_term.dynamodb.recall import block_puts
from chat_core.long_term.index import Indexed
from chat_core.long_term.records import Memory, Summary
from chat_core.long_term.store import Due, Waiting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from chat_core.history import Head
    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.long_term.store import Change, DueKind

Action = dict[str, Any]

_SORT_KEYS: Mapping[DueKind, str] = {"due": DUE, "quiet": QUIET}
_KINDS: Mapping[str, DueKind] = {sort_key: kind for kind, sort_key in _SORT_KEYS.items()}

_COLUMNS = ("incarnation", "folds")
"""Attributes of the row; what else there is of a memory is one value."""


class DynamoLongTermStore:
    """A `LongTermStore` in the table of the history.

    Parameters
    ----------
    table
        Of the history.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self, head: Head) -> Memory | None:
        """See `LongTermStore.read`."""
        row = await self._row(head)
        return None if row is None else _memory(row)

    async def change(self, head: Head, change: Change) -> None:
        """See `LongTermStore.change`."""
        now = self._table.clock()
        expires_at = earliest(head.ends_at, self._table.expiry(now))
        actions = [_head_update(head, change), self._memory_put(head, change.memory)]
        for added in change.added:
            actions += block_puts(Indexed.of(head), added, self._table, ends_at=head.ends_at)
        if change.found is not None:
            actions += found_actions(head, change.found, self._table)
        if change.due:
            actions.append(due_action(head, now, expires_at=expires_at))
        try:
            await self._table.transact(actions)
        except Cancelled:
            raise CommitConflict("The conversation has changed.") from None

    async def due(self, address: Address, kind: DueKind = "due") -> Due | None:
        """See `LongTermStore.due`."""
        row = await self._table.get(partition_key(address), _SORT_KEYS[kind])
        if row is None or is_expired(row, self._table.clock()):
            return None
        return Due(read_text(row, "token"), read_seconds(row, "since"), kind)

    async def settle(self, address: Address, due: Due) -> None:
        """See `LongTermStore.settle`."""
        same = expressed({"token": text(due.token)}, ConditionExpression="#token = :token")
        with suppress(ConditionFailed):
            await self._table.delete(partition_key(address), _SORT_KEYS[due.kind], same)

    async def put_off(self, head: Head, due: Due, *, until: float) -> None:
        """See `LongTermStore.put_off`."""
        values = {
            "token": text(due.token),
            "since": number(until),
            "activity": text(activity(until, head.conversation)),
        }
        later = expressed(
            values,
            UpdateExpression="SET #since = :since, #activity = :activity",
            ConditionExpression="#token = :token",
        )
        with suppress(ConditionFailed):
            await self._table.update(partition_key(head.address), _SORT_KEYS[due.kind], later)

    async def waiting(self, *, before: float, limit: int) -> tuple[Waiting, ...]:
        """See `LongTermStore.waiting`; the index follows the table within moments."""
        request = expressed(
            {"owner": text(DUE_OWNER), "before": text(activity(before, ""))},
            KeyConditionExpression="#owner = :owner AND #activity < :before",
        )
        found: list[Waiting] = []
        start: Row | None = None
        while len(found) < limit:
            rows, start = await self._table.query({**request, "IndexName": INDEX, "Limit": limit}, start)
            found += [
                Waiting(Address(*read_text(row, "pk").rsplit("/", 1)), _KINDS[read_text(row, "sk")]) for row in rows
            ]
            if start is None:
                break
        return tuple(found[:limit])

    async def without(self, head: Head, seqs: Collection[int]) -> Sequence[Action]:
        """Fall back behind the first of the items that are erased; see `DerivedRows`."""
        row = await self._row(head)
        memory = None if row is None else _memory(row)
        if row is None or memory is None or not seqs or (left := memory.without(min(seqs))) is memory:
            return ()
        now = self._table.clock()
        put, expires_at = self._memory_put(head, left), earliest(head.ends_at, self._table.expiry(now))
        same = expressed({"revision": row["revision"]}, ConditionExpression="#revision = :revision")
        return [
            {"Put": {**put["Put"], **same}},
            due_action(head, now, expires_at=expires_at),
        ]

    async def inherited(self, origin: Head, head: Head) -> Sequence[Row]:
        """Take along the newest summaries that cover no more than the branch has, and how far the parts reach."""
        memory = await self.read(origin)
        return () if memory is None else [self._memory_row(head, memory.inherited(head.incarnation, head.seq))]

    async def erase_conversation(self, address: Address, *, keep: str) -> None:
        """See `DerivedRows`: all rows stand in the conversation's partition."""

    async def _row(self, head: Head) -> Row | None:
        row = await self._table.get(partition_key(head.address), MEMORY)
        # It is there as long as its head is, which was read before.
        if row is None or read_text(row, "incarnation") != head.incarnation or "memory" not in row:
            return None
        return row

    def _memory_put(self, head: Head, memory: Memory) -> Action:
        return {"Put": {"Item": self._memory_row(head, memory)}}

    def _memory_row(self, head: Head, memory: Memory) -> Row:
        return {
            **key(partition_key(head.address), MEMORY),
            "incarnation": text(memory.incarnation),
            "folds": number(memory.folds),
            "revision": text(uuid4().hex),
            "memory": packed({name: value for name, value in asdict(memory).items() if name not in _COLUMNS}),
            **expiry(memory_expiry(self._table, head)),
        }


def _head_update(head: Head, change: Change) -> Action:
    """Count a change on the head, if it is the one that the change was made of; turns go on meanwhile."""
    added = {
        **dict(zip(UNFOLDED, (change.unfolded.bytes, change.unfolded.messages), strict=True)),
        "edits": int(change.edited),
    }
    values = {f"added_{name}": number(value) for name, value in added.items()}
    values |= {
        "new_folds": number(change.memory.folds),
        "after": number(change.fold_after),
        "incarnation": text(head.incarnation),
        "edits": number(head.edits),
        "folds": number(head.folds),
    }
    adding = ", ".join(f"#{name} :added_{name}" for name in added)
    same = " AND ".join(f"({_absent(name, head)}#{name} = :{name})" for name in ("edits", "folds"))
    return {
        "Update": {
            "Key": key(partition_key(head.address), HEAD),
            **expressed(
                values,
                UpdateExpression=f"SET #folds = :new_folds, #fold_after = :after ADD {adding}",
                ConditionExpression=f"#incarnation = :incarnation AND {same}",
            ),
        }
    }


def _absent(name: str, head: Head) -> str:
    """Allow for a head on which nothing was counted yet."""
    return "" if getattr(head, name) else f"attribute_not_exists(#{name}) OR "


def _memory(row: Mapping[str, Attribute]) -> Memory:
    value = dict(unpacked(row["memory"])[0])
    summaries = tuple(_summary(one) for one in value.pop("summaries"))
    skipped = tuple((first, last) for first, last in value.pop("skipped"))
    return Memory(read_text(row, "incarnation"), read_int(row, "folds"), summaries, skipped, **value)


def _summary(value: Mapping[str, Any]) -> Summary:
    return Summary(**{**value, "partial": tuple(value["partial"])})
