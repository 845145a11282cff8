"""Windows behind a summary: it tells of the oldest turns, and the window shows those that it does not cover."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chat_core.memory.fields import MAX_MESSAGES, MAX_TOKENS, Field, Integer, refused
from chat_core.memory.fit import Limit
from chat_core.memory.places import first_item
from chat_core.memory.policy import NOTHING_EARLIER, UNCOUNTED, Counting, Earlier, Folding, Kept, LeftOut, View
from chat_core.memory.units import pinned_system
from chat_core.memory.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.memory.policy import Count, Notes
    from chat_core.memory.reasons import Reason
    from chat_core.messages import Message

TAIL_TRIGGERS = 2
"""Without a budget of its own the window holds so many times what starts a fold: folds may be that late."""

NOTES_SHARE = 4
"""The summary may take one part in so many of a budget."""

SMALLEST_SUMMARY = 16

FIELDS: Mapping[str, Field] = {
    "trigger_tokens": Integer(1, MAX_TOKENS),
    "trigger_messages": Integer(1, MAX_MESSAGES),
    "keep": Integer(0, MAX_TOKENS),
    "max_summary_tokens": Integer(SMALLEST_SUMMARY, MAX_TOKENS, default=400),
}
"""What both policies have in common."""


@dataclass(frozen=True)
class Summarised(Window):
    """The newest turns from where the summary ends; turns that are neither in it nor shown are told as left out.

    Parameters
    ----------
    threshold
        When the oldest of them go into the summary.
    max_tokens
        The view's budget, inclusive, as that of ``token_window``; 0: the window alone is bounded, at twice what starts
        a fold. Neither is ever more than the model takes.
    """

    threshold: Folding
    max_tokens: int = 0

    @property
    def folding(self) -> Folding:  # type: ignore[override]
        """See `MemoryPolicy.folding`."""
        return self.threshold

    @property
    def budget(self) -> int | None:  # type: ignore[override]
        """See `MemoryPolicy.budget`."""
        return self.max_tokens or None

    @cached_property
    def counts_tokens(self) -> bool:  # type: ignore[override]
        """Whether anything of it is measured in tokens."""
        return bool(self.max_tokens) or self.threshold.unit == "tokens"

    @property
    def reach(self) -> int:
        """For tokens a guess: what a message takes is not known before it is read."""
        return 64 if self.counts_tokens else TAIL_TRIGGERS * self.threshold.trigger + 2

    def check_budget(self, *, least: int, most: int | None) -> None:
        """See `MemoryPolicy.check_budget`: a budget must be one that the model has."""
        if self.max_tokens and most is not None and self.max_tokens > most:
            raise refused("max_tokens", f"must be an integer from 1 to {most} in this conversation")

    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """Count everything against a budget, and nothing but the window where there is none."""
        if not self.counts_tokens:
            return Limit(TAIL_TRIGGERS * self.threshold.trigger, _one, unit="messages")
        count = _counter(counting)
        fixed = counting.overhead + (0 if system is None else count(system))
        most = self.max_tokens or fixed + TAIL_TRIGGERS * self.threshold.trigger
        if counting.window is not None:
            most = min(most, counting.window - counting.tools())
        return Limit(most, count, fixed, unit="tokens", as_stored=counting.as_stored, reduced=counting.reduced)

    def widest(self, counting: Counting) -> Limit:
        """Mind that the next turn may have no system message, no notes, no tools and an input of next to nothing."""
        return self.limit(None, replace(counting, overhead=0, tools=_none))

    def surely_fits(
        self, messages: Sequence[Message], system: Message | None, earlier: Earlier, counting: Counting
    ) -> bool:
        """Add up the bounds: a text has at most as many tokens as bytes."""
        at_most = counting.at_most
        if at_most is None or not self.counts_tokens or not earlier.whole:
            return False
        fixed = counting.overhead + (0 if system is None else at_most(system))
        left = self.max_tokens - fixed if self.max_tokens else TAIL_TRIGGERS * self.threshold.trigger
        if counting.window is not None:
            left = min(left, counting.window - counting.tools_at_most - fixed)
        for message in messages:
            left -= at_most(message)
            if left < 0:
                return False
        return True

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
        start = _uncovered(messages, earlier.notes)
        covered = messages[:start]
        view = super().view(
            messages[start:],
            system=pinned_system(covered, system),
            instructions=instructions,
            inputs=inputs,
            earlier=_behind(earlier, messages, start),
            counting=counting,
        )
        return replace(view, explain=lambda: _left_out(view, covered, system, earlier.notes))

    def keep(
        self, messages: Sequence[Message], *, earlier: Earlier = NOTHING_EARLIER, counting: Counting = UNCOUNTED
    ) -> Kept:
        """See `MemoryPolicy.keep`: what the summary covers is not among it."""
        start = _uncovered(messages, earlier.notes)
        behind = _behind(earlier, messages, start)
        kept = super().keep(messages[start:], earlier=behind, counting=counting)
        # Another policy must not take what is not covered for all that there is.
        whole = kept.earlier.whole and earlier.whole and start == 0
        return replace(kept, earlier=replace(kept.earlier, whole=whole))


def _uncovered(messages: Sequence[Message], notes: Notes) -> int:
    """Tell the index of the first message that the summary does not cover; the input is not in the history yet."""
    covered = (index for index, message in enumerate(messages) if not 0 < message.seq <= notes.covers_up_to)
    return next(covered, len(messages))


def _behind(earlier: Earlier, messages: Sequence[Message], start: int) -> Earlier:
    """Tell what is known of the history before the messages that the summary does not cover."""
    if start:
        return Earlier(
            count=earlier.count + len(earlier.pinned) + start, notes=earlier.notes, recalled=earlier.recalled
        )
    covers = earlier.notes.covers_up_to
    first = next((first_item(message) for message in messages if message.seq), 0)
    if covers and 0 < first <= covers + 1:
        return Earlier(count=earlier.count + len(earlier.pinned), notes=earlier.notes, recalled=earlier.recalled)
    return earlier


def _left_out(view: View, covered: Sequence[Message], system: Message | None, notes: Notes) -> tuple[LeftOut, ...]:
    """Tell what became of the messages that the summary covers, and of those that the window has no room for."""
    gone: list[tuple[int, LeftOut]] = []

    def drop(index: int, message: Message, reason: Reason) -> None:
        gone.append((index, LeftOut(message, reason)))

    pinned_system(covered, system, drop)
    for index, message in enumerate(covered):
        if message.role != "system":
            drop(index, message, _told(message.seq, notes))
    gone.sort(key=lambda one: one[0])
    rest = (
        LeftOut(left.message, _told(left.message.seq, notes)) if left.reason == "window" else left
        for left in view.left_out
    )
    return (*(left for _, left in gone), *rest)


def _told(seq: int, notes: Notes) -> Reason:
    if 0 < seq <= notes.forgotten_up_to:
        return "forgotten"
    if seq > notes.covers_up_to or not seq:
        return "not_yet_summarised"
    return "skipped" if any(first <= seq <= last for first, last in notes.skipped) else "summarised"


def _one(_message: Message) -> int:
    return 1


def _none() -> int:
    return 0


def _counter(counting: Counting) -> Count:
    if counting.count is None:
        message = "A summary that is measured in tokens needs a counter of tokens."
        raise ValueError(message)
    return counting.count


def threshold(values: Mapping[str, Any], *, trigger_tokens: int, keep: int | None = None) -> Folding:
    """Read when a fold is due.

    Parameters
    ----------
    values
        Of all fields.
    trigger_tokens
        What holds where neither trigger is given.
    keep
        What holds for ``keep`` where neither it nor a trigger is given; None: half of the trigger.

    Raises
    ------
    InvalidRequest
        If both triggers are given, or no turn would ever go: ``keep`` must be below the trigger.
    """
    tokens, messages = values["trigger_tokens"], values["trigger_messages"]
    if tokens is not None and messages is not None:
        raise refused("trigger_messages", "cannot stand beside `trigger_tokens`: give one or the other")
    given = tokens if messages is None else messages
    trigger = trigger_tokens if given is None else given
    kept = values["keep"]
    if kept is None:
        kept = trigger // 2 if given is not None or keep is None else keep
    elif kept >= trigger:
        name = "trigger_messages" if messages is not None else "trigger_tokens"
        raise refused("keep", f"must be an integer from 0 to {trigger - 1}, below `{name}`")
    return Folding(trigger, kept, "tokens" if messages is None else "messages", values["max_summary_tokens"])
