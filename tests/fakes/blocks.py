"""Blocks of indexes in memory, by conversation, incarnation and first turn, each with when it expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from chat_core.keys import Address
from chat_core.long_term.recall import Block, build, cut, without

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from chat_core.history import Head
    from chat_core.long_term.index import Addition, Indexed
    from chat_core.long_term.recall import Entry
    from tests.fakes.history import InMemoryTable

Blocks = dict[tuple[Address, str, int], tuple[Block, int | None]]


def check_state(table: InMemoryTable, seen: Head | Indexed) -> None:
    """Check that a conversation is as it was read."""
    row = table.rows.get(seen.address)
    state = (seen.incarnation, seen.edits, seen.folds)
    if row is None or (row.head.incarnation, row.head.edits, row.head.folds) != state:
        raise CommitConflict


def put_blocks(blocks: Blocks, address: Address, incarnation: str, added: Addition) -> None:
    for group in cut(added.entries):
        block = build(group, added.vectors)
        last = max(entry.created_at for entry in group)
        expires_at = None if added.lifetime is None else last + added.lifetime
        blocks[address, incarnation, block.seqs[0]] = block, expires_at


def take_out(blocks: Blocks, address: Address, incarnation: str, seqs: Collection[int] | None) -> int:
    """Take out the turns that hold any of the items, or all, and tell how many went."""
    gone = 0
    for name, (block, expires_at) in list(blocks.items()):
        if name[:2] != (address, incarnation):
            continue
        left = None if seqs is None else without(block, _holding(set(seqs)))
        gone += len(block) - (len(left) if left else 0)
        del blocks[name]
        if left:
            blocks[address, incarnation, left.seqs[0]] = left, expires_at
    return gone


def _holding(seqs: set[int]) -> Callable[[Entry], bool]:
    return lambda entry: bool(seqs & set(range(entry.first_seq, entry.seq + 1)))
