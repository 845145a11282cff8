"""What users said, in memory: where the fakes of history, long-term memory and facts meet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from chat_core.errors import CommitConflict

if TYPE_CHECKING:
    from collections.abc import Collection

    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term.fact_store import Found
    from chat_core.long_term.facts import Assertion, Tombstone


_BEGIN = count(1_000, 1_000)


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
    version: int = 0

    def change(self) -> None:
        self.version = next(_BEGIN)

    def count(self) -> None:
        """Begin anywhere, so that a count that was erased is not met again."""
        self.forgotten = self.forgotten + 1 if self.forgotten else next(_BEGIN)
        self.change()


Users = dict[str, User]


def put_found(users: Users, head: Head, found: Found) -> None:
    """What a fold's transaction does."""
    if not found.assertions:
        return
    user = users.setdefault(head.address.user, User())
    if found.forgotten != user.forgotten:
        raise CommitConflict
    user.forgotten = user.forgotten or next(_BEGIN)
    user.change()
    told = (replace(one, conversation=head.conversation) for one in found.assertions)
    user.said += [Said(one, head.incarnation) for one in told]


def take_evidence(users: Users, head: Head, seqs: Collection[int]) -> None:
    """What the transaction of an erasure does."""
    user = users.setdefault(head.address.user, User())
    left: list[Said] = []
    for one in user.said:
        here = (one.assertion.conversation, one.incarnation) == (head.conversation, head.incarnation)
        if here:
            evidence = tuple(each for each in one.assertion.evidence if each.moment.seq not in seqs)
            one.assertion = replace(one.assertion, evidence=evidence)
        if not here or one.assertion.evidence:
            left.append(one)
    user.change()
    user.said = left


def erase_told(users: Users, address: Address) -> None:
    """What the erasure of a conversation does."""
    user = users.setdefault(address.user, User())
    user.said = [one for one in user.said if one.assertion.conversation != address.conversation]
    user.change()
