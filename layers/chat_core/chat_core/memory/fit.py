"""Fit the newest units of a history into a limit: what every window has in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chat_core.memory.places import Places, first_item
from chat_core.memory.policy import Earlier, Kept
from chat_core.memory.units import Unit, opens_on_reasoning, units_backwards
from chat_core.messages import Anchor

if TYPE_CHECKING:
    from chat_core.messages import Message

Cost = Callable[["Message"], int]
Group = list[Unit]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a window may hold.

    Parameters
    ----------
    most
        Inclusive, in the unit of ``cost``.
    cost
        Of one message.
    fixed
        What the system message and the request itself take of it.
    by_turn
        Whether older turns go whole; otherwise older units do.
    step
        What goes at once, in the unit of ``cost``; 0: no more than has to.
    unit
        What ``cost`` counts.
    as_stored
        Cost of a message in the history; None: ``cost`` tells that too.
    reduced
        See `Counting.reduced`.
    """

    most: int
    cost: Cost
    fixed: int = 0
    by_turn: bool = True
    step: int = 0
    unit: str = ""
    as_stored: Cost | None = None
    reduced: str = ""

    @property
    def measure(self) -> str:
        """What the sizes of older turns, or units, mean."""
        measure = f"{self.unit} by turn" if self.by_turn else self.unit
        return f"{measure}; {self.reduced}" if self.reduced else measure

    def known(self, earlier: Earlier) -> int:
        """Give what is known of the size of what comes before the messages at hand.

        It is at least what it is with something smaller in its place.
        """
        same = earlier.measure == self.measure
        reduced = not self.reduced and earlier.measure.startswith(f"{self.measure}; ")
        return (earlier.size or 0) if same or reduced else 0


def _nothing(_message: Message) -> int:
    return 0


EVERYTHING = Limit(most=sys.maxsize, cost=_nothing)


@dataclass(slots=True)
class Fit:
    """What fits.

    Parameters
    ----------
    groups
        What is older than the active turn, in order, in the groups that go whole.
    active
        The active turn's units, in order.
    room
        What is left of the limit; negative when what may not be left out exceeds it.
    start
        Index of the message from which on all that fits is found, but for what is pinned.
    lead
        Messages of the active turn that are older than those at hand.
    pinned
        Messages of the active turn that are older than ``start``: ``lead`` and more.
    size
        At least what the next older unit or turn would add; None when that is not known.
    evicted
        Whether anything had to go.
    within
        Whether exchanges of the active turn had to go.
    short
        Whether messages older than those at hand may fit as well.
    """

    groups: list[Group]
    active: Group
    room: int
    start: int
    lead: tuple[Message, ...] = ()
    pinned: tuple[Message, ...] = ()
    size: int | None = None
    evicted: bool = False
    within: bool = False
    short: bool = False

    def messages(self) -> list[Message]:
        """All that fits, in order."""
        found = [message for group in self.groups for unit in group for message in unit.messages]
        found += self.lead
        found += [message for unit in self.active for message in unit.messages]
        return found


def fit(messages: Sequence[Message], limit: Limit, earlier: Earlier) -> Fit:
    """Choose the newest units whose cost is at most the limit's, exactly: steps are for `round_up`.

    The active turn, from the latest user's message on, stays. Older turns, or units, go first, oldest first. If it does
    not fit alone, its oldest complete exchanges go, but never the user's message nor the newest unit. What is left does
    not open on reasoning whose question is gone.
    """
    walk = units_backwards(messages)
    active: Group = []  # newest first
    room = limit.most - limit.fixed
    asked = False
    for unit in walk:
        active.append(unit)
        room -= _cost(unit, limit.cost)
        if unit.user:
            asked = True
            break
    if asked:
        active.reverse()
        if room < 0:
            return _within(active, room, limit.cost)
        return _older(walk, active, room, limit, earlier, end=len(messages))
    if earlier.pinned:
        active.reverse()
        return _behind_gap(active, room, limit, earlier, end=len(messages))
    if not earlier.whole:
        return Fit([], active[::-1], room, 0, short=True)
    # No user has spoken: nothing but the newest unit is protected.
    older = iter(active[1:])
    active = active[:1]
    room = limit.most - limit.fixed - sum(_cost(unit, limit.cost) for unit in active)
    return _older(older, active, room, replace(limit, by_turn=False), earlier, end=len(messages))


def _cost(unit: Unit, cost: Cost) -> int:
    messages = unit.messages
    return cost(messages[0]) if len(messages) == 1 else sum(map(cost, messages))


def _within(active: Group, room: int, cost: Cost) -> Fit:
    """Drop the oldest complete exchanges of an active turn that does not fit."""
    stays: Group = []
    first = 0  # of the units behind the last that went
    size = None
    passed: Group = []
    for place, unit in enumerate(active[:-1]):
        if room >= 0:
            break
        if unit.exchange:
            size = _cost(unit, cost)
            room += size
            stays += passed
            passed = []
            first = place + 1
        else:
            passed.append(unit)
    return Fit(
        [],
        stays + active[first:],
        room,
        active[first].start,
        pinned=tuple(message for unit in stays for message in unit.messages),
        size=size,
        evicted=True,
        within=first > 0,
    )


def _behind_gap(active: Group, room: int, limit: Limit, earlier: Earlier, *, end: int) -> Fit:
    """Fit an active turn that has lost exchanges already: its beginning is pinned."""
    room -= sum(map(limit.cost, earlier.pinned))
    if active and room < 0:
        found = _within(active, room, limit.cost)
        if found.within:
            found.lead = earlier.pinned
            found.pinned = earlier.pinned + found.pinned
            return found
    return Fit(
        [],
        active,
        room,
        active[0].start if active else end,
        lead=earlier.pinned,
        pinned=earlier.pinned,
        size=limit.known(earlier),
        evicted=True,
        within=True,
        short=room >= limit.known(earlier),
    )


def _older(walk: Iterator[Unit], active: Group, room: int, limit: Limit, earlier: Earlier, *, end: int) -> Fit:
    """Take older turns, or units, as long as they fit."""
    groups: list[Group] = []  # newest first, as are the units of each
    group: Group = []
    taken = 0  # by `group`
    size: int | None = None
    evicted = short = False
    for unit in walk:
        group.append(unit)
        taken += _cost(unit, limit.cost)
        if taken > room:
            evicted = True
            size = taken
            break
        if not limit.by_turn or unit.user:
            groups.append(group)
            room -= taken
            group = []
            taken = 0
    else:
        if earlier.whole:
            if group:
                groups.append(group)
                room -= taken
        else:
            # What is at hand of the next turn, and what is known of the rest of it; or of the next unit.
            size = taken + limit.known(earlier)
            if limit.by_turn:
                size += sum(map(limit.cost, earlier.pinned))
            evicted = size > room
            short = not evicted
    for one in groups:
        one.reverse()
    groups.reverse()
    found = Fit(groups, active, room, 0, size=size, evicted=evicted, short=short)
    if evicted:
        found.size = (size or 0) + _close_reasoning(found, limit.cost)
    if evicted or not earlier.whole:
        oldest = found.groups[0] if found.groups else active
        found.start = oldest[0].start if oldest else end
    return found


def _close_reasoning(found: Fit, cost: Cost) -> int:
    """Drop older groups that open on reasoning and return their cost: the question that it is about is gone."""
    dropped = 0
    while found.groups and opens_on_reasoning(found.groups[0][0]):
        dropped += sum(_cost(unit, cost) for unit in found.groups.pop(0))
    found.room += dropped
    return dropped


def round_up(found: Fit, messages: Sequence[Message], limit: Limit, earlier: Earlier) -> Fit:
    """Drop so much more that the window starts at a multiple of the step, counted from the conversation's start.

    The active turn loses no more than complete exchanges, and only when it had to lose some.
    """
    if not limit.step or not found.evicted or found.room < 0:
        return found
    places = Places(messages, limit.as_stored or limit.cost, earlier)
    start = places.at(found.start)
    if start is None:
        return replace(found, short=found.short or earlier.anchor is not None)
    target = -((found.room - start) // limit.step) * limit.step

    def goes(unit: Unit) -> bool:
        place = places.at(unit.start)
        return place is not None and place < target

    if found.within:
        active = [*(unit for unit in found.active[:-1] if not (unit.exchange and goes(unit))), *found.active[-1:]]
        return replace(found, active=active)
    groups = list(found.groups)
    while groups and goes(groups[0][0]):
        del groups[0]
    rounded = replace(found, groups=groups)
    _close_reasoning(rounded, limit.cost)
    return rounded


def keep(messages: Sequence[Message], limit: Limit, earlier: Earlier) -> Kept:
    """Hold what `fit` needs for the next view: ``limit`` is the widest that it may have."""
    found = fit(messages, limit, earlier)
    start = 0 if found.short else found.start
    pinned = earlier.pinned if found.short else found.pinned
    anchor = earlier.anchor
    if limit.step and messages:
        place = Places(messages, limit.as_stored or limit.cost, earlier).at(start)
        if place is not None or anchor is None:
            seq = first_item(messages[start]) if start < len(messages) else messages[-1].seq + 1
            anchor = Anchor(seq, place or 0)
    return Kept(
        tuple(messages[start:]),
        Earlier(
            whole=earlier.whole and start == 0,
            count=earlier.count + len(earlier.pinned) + start - len(pinned),
            size=earlier.size if found.short else found.size,
            measure=earlier.measure if found.short else limit.measure,
            pinned=pinned,
            anchor=anchor,
        ),
        anchor if limit.step else None,
    )
