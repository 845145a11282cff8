"""Branches in memory, beside the history in memory."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict, no_response
from chat_core.keys import id_of
from chat_core.long_term.recall import without
from tests.fakes.history import Row
from tests.fakes.said import Said, User

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.history import Commit, Head, IdempotencyRecord, StoredItem, StoredResponse
    from chat_core.long_term.recall import Entry
    from tests.fakes.history import InMemoryTable


class InMemoryBranches:
    """`chat_core.history.Branches` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def branch(
        self,
        origin: Head,
        head: Head,
        items: Sequence[StoredItem],
        commit: Commit | None,
        *,
        record: IdempotencyRecord | None = None,
    ) -> Head:
        table = self._table
        there = table.rows.get(origin.address)
        seen = (origin.incarnation, origin.edits)
        if there is None or not there.visible or (there.head.incarnation, there.head.edits) != seen:
            raise CommitConflict
        record = commit.record if commit is not None else record
        table.check_unused(record)
        if head.address in table.rows:
            raise CommitConflict
        new = replace(head, updated_at=table.clock(), folds=self._take_along(origin, head))
        row = Row(deepcopy(new), visible=True)
        for stored in items:
            bare = {name: value for name, value in stored.item.items() if name != "id"}
            row.items[stored.seq] = replace(stored, item={"id": id_of(bare, head.incarnation, stored.seq), **bare})
        table.rows[head.address] = row
        table.names[head.address.user, head.incarnation] = head.conversation
        if commit is not None:
            table.append(row, commit)
        table.keep(record)
        return deepcopy(row.head)

    def _take_along(self, origin: Head, head: Head) -> int:
        """Take along what was made of the history up to the branch's point, and tell its folds."""
        table, folds = self._table, 0
        if (memory := table.memory(origin)) is not None:
            table.memories[head.address], folds = memory.inherited(head.incarnation, head.seq), 1
        for name, (block, expires_at) in list(table.blocks.items()):
            if name[:2] == (origin.address, origin.incarnation) and (left := without(block, _behind(head.seq))):
                table.blocks[head.address, head.incarnation, left.seqs[0]] = left, expires_at
        user = table.users.setdefault(head.address.user, User())
        for one in list(user.said):
            told = one.assertion
            if (told.conversation, one.incarnation) == (origin.conversation, origin.incarnation):
                said = tuple(each for each in told.evidence if each.moment.seq <= head.seq)
                copy = replace(told, conversation=head.conversation, evidence=said)
                user.said += [Said(copy, head.incarnation)] if said else []
        return folds

    async def adopt(self, response: StoredResponse, head: Head, commit: Commit) -> None:
        table = self._table
        if head.address in table.rows:
            return
        name = (response.user, response.incarnation, response.first_seq)
        if name not in table.responses:
            raise no_response()
        row = table.rows[head.address] = Row(deepcopy(head), visible=True)
        table.append(row, commit)
        table.responses[name] = replace(response, conversation=head.conversation, items=())


def _behind(seq: int) -> Callable[[Entry], bool]:
    return lambda entry: entry.seq > seq
