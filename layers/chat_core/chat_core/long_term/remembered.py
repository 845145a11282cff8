"""What is remembered about a user, over all conversations: read, corrected, forgotten."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from chat_core.errors import CommitConflict, InvalidRequest, NotFound, VersionConflict
from chat_core.history import Page
from chat_core.long_term.facts import folded, resolved
from chat_core.long_term.facts.records import LAST_SEQ, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.history import Order
    from chat_core.long_term.fact_store import FactStore, Known
    from chat_core.long_term.facts import Fact
    from chat_core.long_term.facts.records import Status

TRIES = 5


class Correction(NamedTuple):
    """What a person says of a fact; None leaves it as it is.

    Parameters
    ----------
    object_value
        The object from now on.
    valid_to
        When it ended: an ISO 8601 date or its beginning.
    pinned
        Whether it is to be kept as it is written.
    """

    object_value: str | None = None
    valid_to: str | None = None
    pinned: bool | None = None


class Wanted(NamedTuple):
    """Which facts a list shows; None shows all.

    Parameters
    ----------
    subject
        Folded as facts are.
    status
        See `Fact`.
    """

    subject: str | None = None
    status: Status | None = None


class RememberedFacts:
    """What a user may do with what is known about him.

    Parameters
    ----------
    store
        Where facts are kept.
    clock
        Seconds since the epoch.
    """

    def __init__(self, store: FactStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def page(self, user: str, wanted: Wanted, *, limit: int, after: str | None, order: Order) -> Page[Fact]:
        """List facts by when they were last said.

        Raises
        ------
        InvalidRequest
            If ``after`` is none of the user's facts.
        """
        facts = sorted(await self._facts(user), key=lambda fact: (fact.moment, fact.id), reverse=order == "desc")
        start = 0
        if after is not None:
            places = [place for place, fact in enumerate(facts) if fact.id == after]
            if not places:
                raise InvalidRequest("`after` is none of your facts.", param="after")
            start = places[0] + 1
        shown = [fact for fact in facts[start:] if _is_wanted(fact, wanted)]
        return Page(tuple(shown[:limit]), len(shown) > limit)

    async def get(self, user: str, fact_id: str) -> Fact:
        """Read a fact.

        Raises
        ------
        NotFound
            If it is none of the user's.
        """
        return _named(await self._store.of_user(user), fact_id)

    async def correct(self, user: str, fact_id: str, correction: Correction, *, version: int) -> Fact:
        """Say a fact in other words; only what is said later supersedes it then.

        Parameters
        ----------
        version
            Of the fact that the person saw.

        Raises
        ------
        NotFound
            As `get`.
        VersionConflict
            If the fact is another one by now.
        """
        known = await self._store.of_user(user)
        fact = _named(known, fact_id)
        if version_of(fact) != version:
            raise _changed()
        newest = fact.newest
        words = newest.object if correction.object_value is None else correction.object_value
        pinned = correction.pinned
        if pinned is None:
            pinned = fact.pinned or correction.object_value is not None
        assertion = replace(
            newest,
            id=f"correction_{version:09d}_{uuid4().hex}",  # in order, those of one second too
            op="supersede" if fact.status == "current" else "add",
            object=words,
            evidence=(),
            replaces=fact.id,
            valid_from=None,
            recorded_at=self._now(fact),
            correction=True,
            pinned=pinned,
            valid_to=correction.valid_to,
        )
        try:
            await self._store.correct(user, known, fact, assertion)
        except CommitConflict:
            raise _changed() from None
        return _named(replace(known, assertions=(*known.assertions, assertion)), fact_id)

    async def forget(self, user: str, fact_id: str) -> None:
        """Forget a fact: what was said so far cannot bring it back, saying it again can.

        Raises
        ------
        NotFound
            As `get`.
        VersionConflict
            If the facts change too fast.
        """
        for _ in range(TRIES):
            fact = await self.get(user, fact_id)
            try:
                await self._store.forget(user, fact, Moment(self._now(fact), LAST_SEQ))
            except CommitConflict:
                continue
            return
        raise _changed()

    async def forget_all(self, user: str) -> int:
        """Forget all facts of a user, and tell how many assertions went."""
        return await self._store.forget_all(user)

    def _now(self, fact: Fact) -> int:
        """Tell the time, not before the fact was said: that may have been by another clock."""
        return max(int(self._clock()), fact.moment.at)

    async def _facts(self, user: str) -> tuple[Fact, ...]:
        known = await self._store.of_user(user)
        return resolved(known.assertions, known.tombstones)


def _named(known: Known, fact_id: str) -> Fact:
    for fact in resolved(known.assertions, known.tombstones):
        if fact.id == fact_id:
            return fact
    raise NotFound("There is no such fact.")


def version_of(fact: Fact) -> int:
    """Tell a fact from what it was before and will be: how often it was said or corrected."""
    return len(fact.said)


def _is_wanted(fact: Fact, wanted: Wanted) -> bool:
    if wanted.status is not None and fact.status != wanted.status:
        return False
    return wanted.subject is None or folded(fact.newest.subject) == folded(wanted.subject)


def _changed() -> VersionConflict:
    return VersionConflict("The fact has changed since you read it: read it again.", param="version")
