"""What is remembered, in memory: what a `LongTermStore` promises, in few lines, beside the history in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from tests.fakes.blocks import put_blocks
from tests.fakes.said import put_found

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term import Change, Due, Memory
    from tests.fakes.history import InMemoryTable


class InMemoryLongTermStore:
    """`chat_core.long_term.LongTermStore` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def read(self, head: Head) -> Memory | None:
        return self._table.memory(head)

    async def change(self, head: Head, change: Change) -> None:
        row = self._table.rows.get(head.address)
        state = (head.incarnation, head.edits, head.folds)
        if row is None or not row.visible or (row.head.incarnation, row.head.edits, row.head.folds) != state:
            raise CommitConflict
        if change.found is not None:
            put_found(self._table.users, head, change.found)
        now, added = row.head, change.unfolded
        row.head = replace(
            now,
            folds=change.memory.folds,
            edits=now.edits + change.edited,
            fold_after=change.fold_after,
            unfolded=now.unfolded + added,
        )
        self._table.memories[head.address] = change.memory
        if change.added is not None:
            put_blocks(self._table.blocks, head.address, head.incarnation, change.added)
        if change.due:
            self._table.put_due(head.address)

    async def due(self, address: Address) -> Due | None:
        return self._table.due.get(address)

    async def settle(self, address: Address, token: str) -> None:
        due = self._table.due.get(address)
        if due is not None and due.token == token:
            del self._table.due[address]

    async def waiting(self, *, before: float, limit: int) -> tuple[Address, ...]:
        found = [(due.since, at) for at, due in self._table.due.items() if due.since < before]
        return tuple(at for _, at in sorted(found, key=lambda one: one[0]))[:limit]
