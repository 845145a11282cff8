"""From assertions to facts: what holds, what ended, and what ended it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chat_core.long_term.facts.records import Assertion, Fact, fact_digest, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chat_core.long_term.facts.records import Moment, Tombstone


def resolved(assertions: Iterable[Assertion], tombstones: Iterable[Tombstone] = ()) -> tuple[Fact, ...]:
    """Compute the facts that assertions amount to; the order in which they come does not matter.

    In the order in which they were said: the same again is more evidence for the same fact; another object of a
    predicate that has one at a time ends the earlier; what a handle names is ended by whoever names it, unless it was
    said later itself: older evidence is history of the newer.

    Parameters
    ----------
    assertions
        All that are stored of the user, or of a conversation.
    tombstones
        What is to be forgotten.

    Returns
    -------
    tuple of Fact
        In the order in which they were first said.
    """
    latest: dict[str, Moment] = {}
    for tombstone in tombstones:
        latest[tombstone.digest] = max(tombstone.moment, latest.get(tombstone.digest, tombstone.moment))
    remembered = [one for each in assertions if (one := without_forgotten(each, latest)) is not None]
    facts = _Facts()
    for one in sorted(remembered, key=lambda one: (one.moment, one.recorded_at, one.id)):
        facts.take(one)
    return tuple(facts.all)


def without_forgotten(assertion: Assertion, latest: Mapping[str, Moment]) -> Assertion | None:
    """Take away the evidence that is to be forgotten; None where nothing is left to say it.

    Parameters
    ----------
    latest
        By digest: what was said at or before this moment is forgotten.
    """
    moment = latest.get(fact_digest(assertion.subject, assertion.predicate, assertion.object))
    if assertion.correction:
        return None if moment is not None and assertion.moment <= moment else assertion
    if moment is None:
        return assertion if assertion.evidence else None
    evidence = tuple(one for one in assertion.evidence if one.moment > moment)
    return replace(assertion, evidence=evidence) if evidence else None


class _Facts:
    """The facts so far, while assertions are taken in the order in which they were said."""

    def __init__(self) -> None:
        self.all: list[Fact] = []
        self._place: dict[str, int] = {}  # assertion's id → place of its fact
        self._claims: dict[str, str] = {}  # id that is named before it was said → id of the fact that names it

    def take(self, one: Assertion) -> None:
        """Take the next assertion."""
        if one.op == "retract":
            self._retract(one)
            return
        if one.correction:
            self._correct(one)
            return
        same = self._same(one)
        if same is not None:
            self._place[one.id] = same
            self.all[same] = replace(self.all[same], said=(*self.all[same].said, one))
        else:
            same = self._place[one.id] = len(self.all)
            self.all.append(Fact(one.id, (one,)))
        self._end_others(one, same)
        if (claimed := self._claims.get(one.id)) is not None:
            # An older assertion replaces this one, which was said since: it is its history.
            self._end(self._place[claimed], one, by=self.all[same].id)

    def _correct(self, one: Assertion) -> None:
        """Take what a person says instead: the same fact in other words. Of a fact that is gone it tells nothing.

        What was current to that person holds against all that was said before, however late it arrived.
        """
        place = self._place.get(one.replaces or "")
        if place is None:
            return
        self._place[one.id] = place
        fact = replace(self.all[place], said=(*self.all[place].said, one))
        if one.op == "supersede":
            fact = replace(fact, status="current", valid_to=None, superseded_by=None)
        if one.valid_to is not None:
            fact = replace(fact, status="retracted", valid_to=one.valid_to)
        self.all[place] = fact
        if fact.status == "current":
            self._end_same_key(one, place)

    def _same(self, one: Assertion) -> int | None:
        """Find the current fact that says the same."""
        for place, fact in enumerate(self.all):
            newest = fact.newest
            if fact.status == "current" and newest.key == one.key and folded(newest.object) == folded(one.object):
                return place
        return None

    def _end_others(self, one: Assertion, its: int) -> None:
        if one.replaces is not None:
            named = self._place.get(one.replaces)
            if named is None:
                self._claims[one.replaces] = self.all[its].id
            elif named != its:
                self._end(named, one, by=self.all[its].id)
        self._end_same_key(one, its)

    def _end_same_key(self, one: Assertion, its: int) -> None:
        if one.cardinality == "one":
            for place, fact in enumerate(self.all):
                if place != its and fact.newest.key == one.key and fact.newest.cardinality == "one":
                    self._end(place, one, by=self.all[its].id)

    def _retract(self, one: Assertion) -> None:
        named = self._place.get(one.replaces) if one.replaces is not None else self._same(one)
        if named is not None:
            self._end(named, one, by=None)

    def _end(self, place: int, one: Assertion, *, by: str | None) -> None:
        fact = self.all[place]
        if fact.status != "current":
            return
        self.all[place] = replace(
            fact,
            status="retracted" if by is None else "superseded",
            superseded_by=by,
            valid_to=one.valid_from or _date(one.moment),
        )


def _date(moment: Moment) -> str | None:
    return datetime.fromtimestamp(moment.at, UTC).date().isoformat() if moment.at else None
