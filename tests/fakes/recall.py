"""An index in memory: what a `RecallIndex` promises, in few lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict, NotFound
from chat_core.long_term.index import IndexStats
from chat_core.long_term.recall import Block, build, cut, pack, search, without

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from chat_core.history import History
    from chat_core.long_term.index import Addition, Indexed
    from chat_core.long_term.recall import Entry, Found, Query, Vectors


class InMemoryRecallIndex:
    """A `RecallIndex` for tests, beside a history."""

    def __init__(self, history: History, *, clock: Callable[[], float] = time.time) -> None:
        self._history = history
        self._clock = clock
        self._kept: dict[tuple[object, str, int], tuple[Block, int | None]] = {}

    async def put(self, indexed: Indexed, added: Addition) -> None:
        try:
            head = await self._history.head(indexed.address)
        except NotFound:
            raise CommitConflict from None
        if (head.incarnation, head.edits) != (indexed.incarnation, indexed.edits):
            raise CommitConflict
        for group in cut(added.entries):
            block = build(group, added.vectors)
            self._kept[indexed.address, indexed.incarnation, block.seqs[0]] = block, added.expires_at

    async def search(self, indexed: Indexed, query: Query, *, limit: int) -> Found:
        return search(self._blocks(indexed), query, conversation=indexed.address.conversation, limit=limit)

    async def stale(self, indexed: Indexed, vectors: Vectors) -> tuple[tuple[Entry, ...], ...]:
        return tuple(tuple(block.entries()) for block in self._blocks(indexed) if not _is_fresh(block, vectors))

    async def erase(self, indexed: Indexed, seqs: Collection[int] | None = None) -> int:
        gone = 0
        for name, (block, expires_at) in list(self._kept.items()):
            if name[:2] != (indexed.address, indexed.incarnation):
                continue
            left = None if seqs is None else without(block, _holding(set(seqs)))
            gone += len(block) - (len(left) if left else 0)
            del self._kept[name]
            if left:
                self._kept[*name[:2], left.seqs[0]] = left, expires_at
        return gone

    async def stats(self, indexed: Indexed) -> IndexStats:
        blocks = self._blocks(indexed)
        return IndexStats(
            turns=sum(map(len, blocks)),
            bytes=sum(len(pack(block)) for block in blocks),
            up_to=max((block.seqs[-1] for block in blocks), default=0),
            models=tuple(sorted({block.vectors.model for block in blocks if block.vectors})),
        )

    def _blocks(self, indexed: Indexed) -> list[Block]:
        now = self._clock()
        mine = (indexed.address, indexed.incarnation)
        kept = sorted((name[2], *value) for name, value in self._kept.items() if name[:2] == mine)
        return [block for _, block, expires_at in kept if expires_at is None or expires_at > now]


def _holding(seqs: set[int]) -> Callable[[Entry], bool]:
    return lambda entry: bool(seqs & set(range(entry.first_seq, entry.seq + 1)))


def _is_fresh(block: Block, vectors: Vectors) -> bool:
    made = block.vectors
    return bool(
        made
        and (made.model, made.dimensions) == (vectors.model, vectors.dimensions)
        and made.embedded_at >= vectors.embedded_at
    )
