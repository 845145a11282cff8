"""What is remembered, in memory: what a `LongTermStore` promises, in few lines, beside the history in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from chat_core.long_term import Waiting
from tests.fakes.blocks import put_blocks
from tests.fakes.said import put_found

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term import Change, Due, Memory
    from chat_core.long_term.store import DueKind
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
        for each in change.added:
            put_blocks(self._table.blocks, head.address, head.incarnation, each)
        if change.due:
            self._table.put_due(head.address)

    async def due(self, address: Address, kind: DueKind = "due") -> Due | None:
        return self._table.due.get((address, kind))

    async def settle(self, address: Address, due: Due) -> None:
        if self._asked(address, due):
            del self._table.due[address, due.kind]

    async def put_off(self, head: Head, due: Due, *, until: float) -> None:
        if self._asked(head.address, due):
            self._table.due[head.address, due.kind] = replace(due, since=until)

    def _asked(self, address: Address, due: Due) -> bool:
        now = self._table.due.get((address, due.kind))
        return now is not None and now.token == due.token

    async def waiting(self, *, before: float, limit: int) -> tuple[Waiting, ...]:
        found = [(due.since, Waiting(*name)) for name, due in self._table.due.items() if due.since < before]
        return tuple(waiting for _, waiting in sorted(found, key=lambda one: one[0]))[:limit]
