"""An index in memory: what a `RecallIndex` promises, in few lines, beside the history in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from chat_core.long_term.index import IndexStats
from chat_core.long_term.recall import Block, pack, search
from tests.fakes.blocks import check_state, put_blocks, take_out

if TYPE_CHECKING:
    from collections.abc import Collection

    from chat_core.long_term.index import Addition, Indexed
    from chat_core.long_term.recall import Entry, Found, Query, Vectors
    from tests.fakes.history import InMemoryTable


class InMemoryRecallIndex:
    """`chat_core.long_term.index.RecallIndex` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def put(self, indexed: Indexed, added: Addition) -> None:
        row = self._table.rows.get(indexed.address)
        if row is None or (row.head.incarnation, row.head.edits) != (indexed.incarnation, indexed.edits):
            raise CommitConflict
        put_blocks(self._table.blocks, indexed.address, indexed.incarnation, added)

    async def search(self, indexed: Indexed, query: Query, *, limit: int) -> Found:
        return search(self._blocks(indexed), query, conversation=indexed.address.conversation, limit=limit)

    async def stale(self, indexed: Indexed, vectors: Vectors) -> tuple[tuple[Entry, ...], ...]:
        return tuple(tuple(block.entries()) for block in self._blocks(indexed) if not _is_fresh(block, vectors))

    async def erase(self, indexed: Indexed, seqs: Collection[int] | None = None) -> int:
        if seqs is None and self._blocks(indexed):
            check_state(self._table, indexed)
        return take_out(self._table.blocks, indexed.address, indexed.incarnation, seqs)

    async def stats(self, indexed: Indexed) -> IndexStats:
        blocks = self._blocks(indexed)
        return IndexStats(
            turns=sum(map(len, blocks)),
            bytes=sum(len(pack(block)) for block in blocks),
            up_to=max((block.seqs[-1] for block in blocks), default=0),
            models=tuple(sorted({block.vectors.model for block in blocks if block.vectors})),
        )

    def _blocks(self, indexed: Indexed) -> list[Block]:
        now = self._table.clock()
        mine = (indexed.address, indexed.incarnation)
        kept = sorted((name[2], *value) for name, value in self._table.blocks.items() if name[:2] == mine)
        return [block for _, block, expires_at in kept if expires_at is None or expires_at > now]


def _is_fresh(block: Block, vectors: Vectors) -> bool:
    made = block.vectors
    return bool(
        made
        and (made.model, made.dimensions) == (vectors.model, vectors.dimensions)
        and made.embedded_at >= vectors.embedded_at
    )
