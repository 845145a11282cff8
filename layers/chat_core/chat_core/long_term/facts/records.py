"""Assertions as they are stored, and the facts that are read from them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

Op = Literal["add", "supersede", "retract"]
Kind = Literal["profile", "preference", "relation", "event", "plan"]
Cardinality = Literal["one", "many"]
Status = Literal["current", "superseded", "retracted"]

USER = "user"
"""Subject of what somebody says about himself."""

LAST_SEQ = 10**12
"""Behind every item of a second."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When something was said: places of one conversation order what was said in one second.

    Parameters
    ----------
    at
        Seconds since the epoch.
    seq
        Of the item.
    """

    at: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """An item that says it.

    Parameters
    ----------
    item_id
        Of the history.
    moment
        When it was said.
    said_by
        Role of whoever said it.
    """

    item_id: str
    moment: Moment
    said_by: Literal["user", "assistant"] = "user"


@dataclass(frozen=True, slots=True)
class Assertion:
    """One thing that was said, as a fold or a person's correction brought it; never changed afterwards.

    Parameters
    ----------
    id
        ``fact_…``; a fact has the id of its first assertion.
    op
        ``add``; ``supersede`` and ``retract`` end what ``replaces`` names.
    subject, predicate, object
        In the words and the language of whoever said it, one line each.
    kind, cardinality
        A predicate of cardinality ``one`` has one object at a time.
    evidence
        The items that say it; empty for a correction.
    valid_from
        An ISO 8601 date or its beginning, None when it was not said.
    replaces
        Id of another assertion, or None.
    recorded_at
        Seconds since the epoch: when it was stored.
    correction
        Whether a person wrote it, not a fold: it was said when it was recorded, and is the fact that it replaces in
        other words; ``supersede`` where that fact was current to the person, ``add`` where it had ended.
    pinned
        Whether that person wants it kept as it is written.
    valid_to
        When it ended, where a correction says so.
    conversation
        Where it was said.
    """

    id: str
    op: Op
    subject: str
    predicate: str
    object: str
    kind: Kind = "profile"
    cardinality: Cardinality = "many"
    evidence: tuple[Evidence, ...] = ()
    valid_from: str | None = None
    replaces: str | None = None
    recorded_at: int = 0
    correction: bool = False
    pinned: bool = False
    valid_to: str | None = None
    conversation: str = ""

    @property
    def moment(self) -> Moment:
        """When it was last said; whoever corrects has seen what was said in the same second."""
        if self.correction:
            return Moment(self.recorded_at, LAST_SEQ)
        return max((evidence.moment for evidence in self.evidence), default=Moment())

    @property
    def key(self) -> tuple[str, str]:
        """What it is about: subject and predicate, folded."""
        return folded(self.subject), folded(self.predicate)


class Tombstone(NamedTuple):
    """What is to be forgotten: nothing of this digest said at or before the moment is shown or stored again.

    Parameters
    ----------
    digest
        See `fact_digest`; it tells nothing of the fact.
    moment
        When it was forgotten.
    """

    digest: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as it is read.

    Parameters
    ----------
    id
        Of its first assertion.
    said
        The assertions that it is made of, the oldest first.
    status
        ``current``; ``superseded`` has a successor, ``retracted`` has none.
    valid_from, valid_to
        ISO 8601 dates or their beginnings, None when unknown.
    superseded_by
        Id of the successor, or None.
    """

    id: str
    said: tuple[Assertion, ...]
    status: Status = "current"
    valid_to: str | None = None
    superseded_by: str | None = None

    @property
    def newest(self) -> Assertion:
        """The assertion that was said last: its words are shown."""
        return self.said[-1]

    @property
    def valid_from(self) -> str | None:
        """The earliest date that an assertion gives."""
        return min((one.valid_from for one in self.said if one.valid_from), default=None)

    @property
    def moment(self) -> Moment:
        """When it was last said."""
        return self.newest.moment

    @property
    def pinned(self) -> bool:
        """Whether a person wants it as it is written; what is said later ends it all the same."""
        return next((one.pinned for one in reversed(self.said) if one.correction), False)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that say it, the oldest first."""
        evidence = {one.item_id: one.moment for assertion in self.said for one in assertion.evidence}
        return tuple(sorted(evidence, key=lambda item_id: (evidence[item_id], item_id)))


def folded(text: str) -> str:
    """Fold a text for comparison: NFKC, case, punctuation and space.

    Examples
    --------
    >>> folded("  Lives-in ＰＡＲＩＳ! ")
    'lives in paris'
    """
    kept = "".join(
        character if unicodedata.category(character)[0] in "LMN" else " "
        for character in unicodedata.normalize("NFKC", text).casefold()
    )
    return " ".join(kept.split())


def fact_digest(subject: str, predicate: str, obj: str) -> str:
    """Name a fact by its folded words without telling them: 32 hex digits of SHA-256."""
    words = "\n".join((folded(subject), folded(predicate), folded(obj)))
    return sha256(words.encode()).hexdigest()[:32]
