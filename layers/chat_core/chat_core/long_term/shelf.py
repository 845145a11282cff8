"""Blocks that an environment keeps decoded, so that it reads an index once for each of its states."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.keys import Address
    from chat_core.long_term.index import Indexed
    from chat_core.long_term.recall import Block

SHELF_BYTES = 32 * 1024 * 1024
"""About 100,000 turns."""

_TURN_BYTES = 130
_WORD_BYTES = 12


class Shelf:
    """The indexes used last, each in its newest known state.

    Parameters
    ----------
    most_bytes
        What all of them may take, roughly; the newest one stays in any case.
    """

    def __init__(self, most_bytes: int = SHELF_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Address, tuple[Indexed, tuple[Block, ...], int]] = OrderedDict()
        self._bytes = 0

    def find(self, indexed: Indexed) -> tuple[Block, ...] | None:
        """Look up an index in exactly this state."""
        kept = self._kept.get(indexed.address)
        if kept is None or kept[0] != indexed:
            return None
        self._kept.move_to_end(indexed.address)
        return kept[1]

    def keep(self, indexed: Indexed, blocks: Sequence[Block]) -> None:
        """Keep an index as it was read for a state, in place of any other state of it."""
        self.drop(indexed.address)
        size = sum(_TURN_BYTES * len(block) + _WORD_BYTES * len(block.hashes) for block in blocks)
        self._kept[indexed.address] = indexed, tuple(blocks), size
        self._bytes += size
        while self._bytes > self._most and len(self._kept) > 1:
            _, (_, _, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def drop(self, address: Address) -> None:
        """Forget an index."""
        _, _, size = self._kept.pop(address, (None, (), 0))
        self._bytes -= size
