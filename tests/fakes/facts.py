"""Facts in memory: what a `FactStore` promises, in few lines, beside the history in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from chat_core.keys import Address
from chat_core.long_term.fact_store import Known
from chat_core.long_term.facts import Tombstone
from chat_core.long_term.facts.records import fact_digest
from tests.fakes.blocks import check_state
from tests.fakes.said import Said, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chat_core.history import Head
    from chat_core.long_term.facts import Assertion, Fact
    from chat_core.long_term.facts.records import Moment
    from tests.fakes.history import InMemoryTable


class InMemoryFactStore:
    """`chat_core.long_term.fact_store.FactStore` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def of_conversation(self, head: Head) -> Known:
        user = self._of(head.address.user)
        here = [one for one in user.said if one.assertion.conversation == head.conversation]
        return _known(user, [one for one in here if one.incarnation in ("", head.incarnation)])

    async def of_user(self, user: str) -> Known:
        return _known(self._of(user), self._of(user).said)

    async def correct(self, user: str, known: Known, fact: Fact, correction: Assertion) -> None:
        if known.version != _version(self._of(user)):
            raise CommitConflict
        self._edit(user, _told_in([fact]))
        self._of(user).said.append(Said(correction))
        self._of(user).count()

    async def forget(self, user: str, fact: Fact, moment: Moment) -> None:
        kept = self._of(user)
        digests = {fact_digest(one.subject, one.predicate, one.object) for one in fact.said}
        kept.tombstones |= {digest: Tombstone(digest, moment) for digest in digests}
        kept.count()
        gone = [
            one
            for one in kept.said
            if one.assertion.moment <= moment
            and fact_digest(one.assertion.subject, one.assertion.predicate, one.assertion.object) in digests
        ]
        kept.said = [one for one in kept.said if one not in gone]
        self._edit(user, _told_in([fact]) | {one.assertion.conversation for one in gone})

    async def erase(self, head: Head) -> int:
        address = head.address
        user = self._of(address.user)
        gone = [one for one in user.said if one.incarnation and one.assertion.conversation == address.conversation]
        if gone:
            check_state(self._table, head)
        user.said = [one for one in user.said if one not in gone]
        user.change()
        return len(gone)

    async def forget_all(self, user: str) -> int:
        kept = self._of(user)
        gone = len(kept.said)
        self._edit(user, {one.assertion.conversation for one in kept.said})
        kept.said = []
        if gone:
            kept.count()
        return gone

    async def erase_user(self, user: str) -> int:
        kept = self._table.users.pop(user, None)
        return 0 if kept is None else len(kept.said) + len(kept.tombstones)

    def _edit(self, user: str, conversations: Iterable[str]) -> None:
        for conversation in conversations:
            row = self._table.rows.get(Address(user, conversation))
            if row is not None:
                row.head = replace(row.head, edits=row.head.edits + 1)

    def _of(self, user: str) -> User:
        return self._table.users.setdefault(user, User())


def _told_in(facts: Iterable[Fact]) -> set[str]:
    return {one.conversation for fact in facts for one in fact.said}


def _known(user: User, said: list[Said]) -> Known:
    stones = tuple(user.tombstones.values())
    return Known(tuple(one.assertion for one in said), stones, user.forgotten, _version(user))


def _version(user: User) -> str:
    return str(user.version)
