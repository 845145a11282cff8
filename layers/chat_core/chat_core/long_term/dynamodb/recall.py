"""The index in the conversation's own partition: a row a block, which dies with the conversation.

A block's row is named after its first turn. It tells its incarnation, as every row does, and how often it was
rewritten, so that two who take turns out of it at once do not bring each other's back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import CommitConflict, StoreUnavailable
from chat_core.history.dynamodb.batches import batches
from chat_core.history.dynamodb.heads import head_check
from chat_core.history.dynamodb.rows import (
    Row,
    earliest,
    expiry,
    is_expired,
    key,
    number,
    read_int,
    read_text,
    row_bytes,
    text,
)
from chat_core.history.dynamodb.table import Cancelled, expressed
from chat_core.keys import RECALL, partition_key, recall_sort_key
from chat_core.long_term.index import Indexed, IndexStats
from chat_core.long_term.recall import Block, build, cut, pack, search, unpack, without
from chat_core.long_term.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from chat_core.history import Head
    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.keys import Address
    from chat_core.long_term.index import Addition
    from chat_core.long_term.recall import Entry, Found, Query, Vectors

Action = dict[str, Any]

_TRIES = 5


class DynamoRecallIndex:
    """A `RecallIndex` in rows of the table.

    Parameters
    ----------
    table
        Of the history.
    shelf
        What is kept decoded.
    """

    def __init__(self, table: Table, shelf: Shelf | None = None) -> None:
        self._table = table
        self._shelf = shelf or Shelf()

    async def put(self, indexed: Indexed, added: Addition) -> None:
        """See `RecallIndex.put`."""
        check = _head_check(indexed, folds=False)
        puts = block_puts(indexed, added, self._table)
        try:
            for batch in batches(puts, lambda put: row_bytes(put["Put"]["Item"])):
                if batch:
                    await self._table.transact([check, *batch])
        except Cancelled:
            raise CommitConflict("The conversation has changed.") from None
        self._shelf.drop(indexed.address)

    async def search(self, indexed: Indexed, query: Query, *, limit: int) -> Found:
        """See `RecallIndex.search`; what an environment has not got of this state it reads in one query."""
        blocks = self._shelf.find(indexed)
        if blocks is None:
            blocks = tuple(block for _, block in await self._blocks(indexed))
            self._shelf.keep(indexed, blocks)
        if self._table.lifetime is not None:
            # Its items are gone, though its block stays for the others'.
            query = replace(query, since=max(query.since, int(self._table.clock()) - self._table.lifetime + 1))
        return search(blocks, query, conversation=indexed.address.conversation, limit=limit)

    async def stale(self, indexed: Indexed, vectors: Vectors) -> tuple[tuple[Entry, ...], ...]:
        """See `RecallIndex.stale`."""
        return tuple(
            tuple(block.entries()) for _, block in await self._blocks(indexed) if not _is_fresh(block, vectors)
        )

    async def erase(self, indexed: Indexed, seqs: Collection[int] | None = None) -> int:
        """See `RecallIndex.erase`."""
        for _ in range(_TRIES):
            actions, gone = await self._removal(indexed, seqs)
            same = [] if seqs is not None else [_head_check(indexed, folds=True)]
            try:
                for batch in batches(actions, _action_bytes):
                    if batch:
                        await self._table.transact([*same, *batch])
            except Cancelled as cancelled:
                if same and 0 in cancelled.failed:
                    raise CommitConflict("The conversation has changed.") from None
                continue  # rewritten by another meanwhile
            self._shelf.drop(indexed.address)
            return gone
        raise StoreUnavailable("Others change the same index.", retry_after_ms=1_000)

    async def without(self, head: Head, seqs: Collection[int]) -> Sequence[Action]:
        """Take out the turns that hold any of the items that are erased; see `DerivedRows`."""
        actions, _ = await self._removal(Indexed.of(head), seqs)
        return actions

    async def _removal(self, indexed: Indexed, seqs: Collection[int] | None) -> tuple[list[Action], int]:
        actions: list[Action] = []
        gone = 0
        for row, block in await self._blocks(indexed):
            left = None if seqs is None else without(block, lambda entry: _holds(entry, seqs))
            if left is not None and len(left) == len(block):
                continue
            gone += len(block) - (len(left) if left else 0)
            actions += _rewritten(row, left)
        return actions, gone

    async def inherited(self, origin: Head, head: Head) -> Sequence[Row]:
        """Take along the turns that the branch has; see `DerivedRows`."""
        rows: list[Row] = []
        for row, block in await self._blocks(Indexed.of(origin)):
            left = without(block, lambda entry: entry.seq > head.seq)
            if left:
                end = read_int(row, "expires_at") or None
                rows.append({**_row(head.address, head.incarnation, left), **expiry(earliest(head.ends_at, end))})
        return rows

    async def erase_conversation(self, address: Address, *, keep: str) -> None:
        """See `DerivedRows`: all rows stand in the conversation's partition."""

    async def stats(self, indexed: Indexed) -> IndexStats:
        """See `RecallIndex.stats`."""
        found = await self._blocks(indexed)
        return IndexStats(
            turns=sum(len(block) for _, block in found),
            bytes=sum(row_bytes(row) for row, _ in found),
            up_to=max((block.seqs[-1] for _, block in found), default=0),
            models=tuple(sorted({block.vectors.model for _, block in found if block.vectors})),
        )

    async def _blocks(self, indexed: Indexed) -> list[tuple[Row, Block]]:
        request = expressed(
            {"pk": text(partition_key(indexed.address)), "first": text(RECALL), "last": text(f"{RECALL}~")},
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last",
        )
        rows: list[Row] = []
        start: Row | None = None
        while True:
            page, start = await self._table.query({**request, "ConsistentRead": True}, start)
            rows += page
            if start is None:
                break
        now = self._table.clock()
        current = [row for row in rows if _is_current(row, indexed, now)]
        return [(row, block) for row in current if (block := unpack(row["block"]["B"]))]


def block_puts(indexed: Indexed, added: Addition, table: Table, *, ends_at: int | None = None) -> list[Action]:
    """Write turns as rows, for whoever has a transaction to put them in; a row ends with the newest of its turns."""
    puts: list[Action] = []
    for group in cut(added.entries):
        last = max(entry.created_at for entry in group)
        dies = None if added.lifetime is None else last + added.lifetime
        block = build(group, added.vectors)
        row = _row(indexed.address, indexed.incarnation, block)
        puts.append({"Put": {"Item": {**row, **expiry(earliest(ends_at, table.expiry(last), dies))}}})
    return puts


def _row(address: Address, incarnation: str, block: Block) -> Row:
    return {
        **key(partition_key(address), recall_sort_key(block.seqs[0])),
        "incarnation": text(incarnation),
        "block": {"B": pack(block)},
        "revision": number(0),
    }


def _rewritten(row: Row, left: Block | None) -> list[Action]:
    """Replace a block by what is left of it, under its new first turn where that is another one."""
    values = {"incarnation": row["incarnation"], "revision": row["revision"]}
    same = expressed(values, ConditionExpression="#incarnation = :incarnation AND #revision = :revision")
    delete = {"Delete": {"Key": {"pk": row["pk"], "sk": row["sk"]}, **same}}
    if left is None:
        return [delete]
    sort_key = text(recall_sort_key(left.seqs[0]))
    new = {**row, "sk": sort_key, "block": {"B": pack(left)}, "revision": number(read_int(row, "revision") + 1)}
    if sort_key == row["sk"]:
        return [{"Put": {"Item": new, **same}}]
    return [delete, {"Put": {"Item": new}}]


def _head_check(indexed: Indexed, *, folds: bool) -> Action:
    """Check that the conversation is in the state of the index, or that nothing was erased since."""
    counts = {"edits": indexed.edits, **({"folds": indexed.folds} if folds else {})}
    return head_check(indexed.address, indexed.incarnation, counts)


def _is_current(row: Mapping[str, Attribute], indexed: Indexed, now: float) -> bool:
    return read_text(row, "incarnation") == indexed.incarnation and not is_expired(row, now)


def _is_fresh(block: Block, vectors: Vectors) -> bool:
    made = block.vectors
    return (
        made is not None
        and (made.model, made.dimensions) == (vectors.model, vectors.dimensions)
        and made.embedded_at >= vectors.embedded_at
    )


def _holds(entry: Entry, seqs: Collection[int]) -> bool:
    return any(seq in seqs for seq in range(entry.first_seq, entry.seq + 1))


def _action_bytes(action: Mapping[str, Any]) -> int:
    return row_bytes(action["Put"]["Item"]) if "Put" in action else 0
