"""Facts in memory: what a `FactStore` promises, in few lines, beside the history in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict
from chat_core.keys import Address
from chat_core.long_term.fact_store import Found, Known
from chat_core.long_term.facts import Tombstone, resolved
from chat_core.long_term.facts.records import fact_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from chat_core.history import Head
    from chat_core.long_term.facts import Assertion, Fact
    from chat_core.long_term.facts.records import Moment
    from tests.fakes.history import InMemoryTable


@dataclass
class Said:
    """An assertion, and the incarnation in which it was said; a correction's is empty."""

    assertion: Assertion
    incarnation: str = ""


@dataclass
class User:
    """What is kept of a user."""

    said: list[Said] = field(default_factory=list)
    tombstones: dict[str, Tombstone] = field(default_factory=dict)
    forgotten: int = 0

    def known(self, said: Iterable[Said]) -> Known:
        assertions = tuple(one.assertion for one in said)
        return Known(assertions, tuple(self.tombstones.values()), self.forgotten)


class InMemoryFactStore:
    """`chat_core.long_term.fact_store.FactStore` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table
        self._users: dict[str, User] = {}

    def put(self, head: Head, found: Found) -> None:
        """What a fold's transaction does."""
        user = self._of(head.address.user)
        if not found.assertions:
            return
        if found.forgotten != user.forgotten:
            raise CommitConflict
        told = (replace(one, conversation=head.conversation) for one in found.assertions)
        user.said += [Said(one, head.incarnation) for one in told]

    async def of_conversation(self, head: Head) -> Known:
        user = self._of(head.address.user)
        here = [one for one in user.said if one.assertion.conversation == head.conversation]
        return user.known(one for one in here if one.incarnation in ("", head.incarnation))

    async def of_user(self, user: str) -> Known:
        return self._of(user).known(self._of(user).said)

    async def correct(self, user: str, fact: Fact, correction: Assertion) -> None:
        known = await self.of_user(user)
        if fact not in resolved(known.assertions, known.tombstones):
            raise CommitConflict
        self._edit(user, fact)
        self._of(user).said.append(Said(correction))
        self._of(user).forgotten += 1

    async def forget(self, user: str, fact: Fact, moment: Moment) -> None:
        kept = self._of(user)
        digests = {fact_digest(one.subject, one.predicate, one.object) for one in fact.said}
        kept.tombstones |= {digest: Tombstone(digest, moment) for digest in digests}
        kept.forgotten += 1
        kept.said = [
            one
            for one in kept.said
            if one.assertion.moment > moment
            or fact_digest(one.assertion.subject, one.assertion.predicate, one.assertion.object) not in digests
        ]
        self._edit(user, fact)

    async def forget_all(self, user: str) -> int:
        kept = self._of(user)
        gone = len(kept.said)
        for fact in resolved(one.assertion for one in kept.said):
            self._edit(user, fact)
        kept.said = []
        kept.forgotten += bool(gone)
        return gone

    def without(self, head: Head, seqs: Collection[int]) -> None:
        """What the transaction of an erasure does."""
        user = self._of(head.address.user)
        left: list[Said] = []
        for one in user.said:
            here = (one.assertion.conversation, one.incarnation) == (head.conversation, head.incarnation)
            if here:
                evidence = tuple(each for each in one.assertion.evidence if each.moment.seq not in seqs)
                one.assertion = replace(one.assertion, evidence=evidence)
            if not here or one.assertion.evidence:
                left.append(one)
        user.said = left

    def _edit(self, user: str, fact: Fact) -> None:
        for conversation in {one.conversation for one in fact.said}:
            row = self._table.rows.get(Address(user, conversation))
            if row is not None:
                row.head = replace(row.head, edits=row.head.edits + 1)

    def _of(self, user: str) -> User:
        return self._users.setdefault(user, User())
