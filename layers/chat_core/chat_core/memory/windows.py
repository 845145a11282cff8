"""Windows as policies: from a limit to the view, with its tokens and the reasons for what is left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from chat_core.memory.fit import EVERYTHING, Fit, Limit, fit, keep, round_up
from chat_core.memory.policy import (
    NOTHING_EARLIER,
    UNCOUNTED,
    Count,
    Counting,
    Earlier,
    Folding,
    Kept,
    LeftOut,
    View,
)
from chat_core.memory.units import pinned_system, units_backwards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.errors import InvalidRequest
    from chat_core.memory.reasons import Reason
    from chat_core.messages import Message


class Window(ABC):
    """A policy whose view is the newest part of the history, within a limit."""

    name: ClassVar[str]
    counts_tokens: ClassVar[bool] = False
    """Whether its limit is one of tokens."""
    folding: Folding | None = None
    """See `MemoryPolicy.folding`."""
    budget: int | None = None
    """See `MemoryPolicy.budget`."""

    @property
    @abstractmethod
    def reach(self) -> int | None:
        """See `MemoryPolicy.reach`."""

    @abstractmethod
    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """Give the limit of a view that opens on ``system``."""

    @abstractmethod
    def widest(self, counting: Counting) -> Limit:
        """Give the widest limit that the next turn may have."""

    def check_budget(self, *, least: int, most: int | None) -> None:  # noqa: B027
        """See `MemoryPolicy.check_budget`."""

    def surely_fits(
        self,
        messages: Sequence[Message],
        system: Message | None,
        earlier: Earlier,
        counting: Counting,
    ) -> bool:
        """Whether all fits, as can be told without counting."""
        return False

    def refusal(self, required: int, most: int) -> InvalidRequest | None:
        """Give the error for a view that needs ``required`` of ``most``; None when it is sent as it is."""
        return None

    def view(
        self,
        messages: Sequence[Message],
        *,
        system: Message | None = None,
        instructions: Message | None = None,
        inputs: int = 0,
        earlier: Earlier = NOTHING_EARLIER,
        counting: Counting = UNCOUNTED,
    ) -> View:
        """See `MemoryPolicy.view`."""
        pinned = pinned_system(messages, system)
        first = instructions or pinned
        notes, recalled = earlier.notes.message, earlier.recalled
        beside = [message for message in (notes, recalled) if message is not None]
        if self.surely_fits(messages, first, earlier, _beside(beside, counting, counting.at_most)):
            limit, counting = EVERYTHING, UNCOUNTED
        else:
            limit = self.limit(first, _beside(beside, counting, counting.count))
        found = round_up(fit(messages, limit, earlier), messages, limit, earlier)
        head = [message for message in (first, notes) if message is not None]
        retained = [*head, *found.messages()]
        if recalled is not None:
            retained.insert(_end_of([*head, *messages[: len(messages) - inputs]], retained), recalled)
        over = found.room < 0
        in_all = earlier.count + len(earlier.pinned) + len(messages)
        return View(
            messages=tuple(retained),
            tokens=count_parts(retained, first, messages[len(messages) - inputs :], counting, beside=(notes, recalled)),
            retained=len(retained),
            evicted=max(in_all - len(retained) + (instructions is not None) + len(beside), 0),
            over_budget=over,
            refusal=self.refusal(limit.most - found.room, limit.most) if over else None,
            cut=found.evicted,
            short=found.short,
            system=pinned,
            notes=notes,
            recalled=recalled,
            explain=lambda: _left_out(found, messages, system, instructions),
        )

    def keep(
        self, messages: Sequence[Message], *, earlier: Earlier = NOTHING_EARLIER, counting: Counting = UNCOUNTED
    ) -> Kept:
        """See `MemoryPolicy.keep`."""
        limit = self.widest(counting)
        if self.surely_fits(messages, None, earlier, counting):
            limit = replace(EVERYTHING, step=limit.step)
        kept = keep(messages, limit, earlier)
        return replace(kept, earlier=replace(kept.earlier, notes=earlier.notes))


def _beside(messages: Sequence[Message], counting: Counting, count: Count | None) -> Counting:
    """Count what long-term memory wrote as what a request takes beside its messages."""
    if not messages or count is None:
        return counting
    return replace(counting, overhead=counting.overhead + sum(map(count, messages)))


def _end_of(history: Sequence[Message], retained: Sequence[Message]) -> int:
    """Tell the index behind the history in a view; where the input answers calls, that before the calls."""
    known = {id(message) for message in history}
    end = next((index for index in range(len(retained), 0, -1) if id(retained[index - 1]) in known), 0)
    if end < len(retained) and retained[end].role == "tool":
        while end and (retained[end - 1].tool_calls or retained[end - 1].role in ("tool", "reasoning", "other")):
            end -= 1
    return end


def count_parts(
    retained: Sequence[Message],
    first: Message | None,
    inputs: Sequence[Message],
    counting: Counting,
    *,
    beside: tuple[Message | None, Message | None] = (None, None),
) -> dict[str, int]:
    """Count what is retained by part: `View.tokens`; ``beside`` are the notes and what was recalled."""
    if counting.count is None:
        return {}
    new = {id(message) for message in inputs}
    notes, recalled = beside
    parts = dict.fromkeys(["system", *(["notes"] if notes else []), "history"], 0)
    parts |= dict.fromkeys([*(["recalled"] if recalled else []), "input"], 0) | {"tools": counting.tools()}
    for message in retained:
        if message is first:
            part = "system"
        elif message is notes:
            part = "notes"
        elif message is recalled:
            part = "recalled"
        else:
            part = "input" if id(message) in new else "history"
        parts[part] += counting.count(message)
    parts["total"] = sum(parts.values()) + counting.overhead
    return parts


def _left_out(
    found: Fit, messages: Sequence[Message], system: Message | None, instructions: Message | None
) -> tuple[LeftOut, ...]:
    """Read all the messages at hand once more and tell what became of each."""
    gone: list[tuple[int, int, LeftOut]] = []

    def drop(index: int, message: Message, reason: Reason) -> None:
        gone.append((index, -len(gone), LeftOut(message, reason)))

    pinned = pinned_system(messages, system, drop)
    if instructions is not None and pinned is not None:
        drop(-1, pinned, "instructions")
    starts = {unit.start for group in (*found.groups, found.active) for unit in group}
    for unit in units_backwards(messages, drop):
        if unit.start not in starts:
            for message in reversed(unit.messages):
                drop(unit.start, message, "window")
    return tuple(left for _, _, left in sorted(gone, key=lambda one: one[:2]))
