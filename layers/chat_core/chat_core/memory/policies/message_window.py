"""``message_window``: the newest messages, at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest
from chat_core.memory.fields import GRANULARITY, MAX_MESSAGES, Choice, Integer, Just, PolicySpec, check_step
from chat_core.memory.fit import Limit
from chat_core.memory.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.memory.policy import Counting, Granularity, Overflow
    from chat_core.messages import Message


@dataclass(frozen=True)
class MessageWindow(Window):
    """The newest ``max_messages``, the system message included.

    Parameters
    ----------
    max_messages
        Inclusive.
    granularity
        ``turn``: older turns go whole; ``message``: one message, or one exchange with tools, at a time.
    on_overflow
        What becomes of an active turn that is larger than the window: ``keep`` it and say so, or ``error``.
    evict_step_messages
        How many go at once, so that the views of consecutive turns share a prefix; 0: no more than have to.
    """

    max_messages: int = 20
    granularity: Granularity = "turn"
    on_overflow: Overflow = "keep"
    evict_step_messages: int = 0

    name = "message_window"

    @property
    def reach(self) -> int:
        """Read a little more than the window holds, to see where it ends."""
        return self.max_messages + 2

    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """All messages count, the system message included."""
        return self._limit(self.max_messages, fixed=system is not None)

    def widest(self, counting: Counting) -> Limit:
        """Leave room for the input: one message at least."""
        return self._limit(self.max_messages - 1, fixed=0)

    def _limit(self, most: int, *, fixed: int) -> Limit:
        return Limit(most, _one, fixed, self.granularity == "turn", self.evict_step_messages, "messages")

    def refusal(self, required: int, most: int) -> InvalidRequest | None:
        """Refuse when asked to."""
        if self.on_overflow == "keep":
            return None
        return InvalidRequest(
            f"The system message and the current turn are {required} messages; the memory holds {most}.",
            param="memory",
            code="context_budget_exceeded",
        )


def _one(_message: Message) -> int:
    return 1


def _build(values: Mapping[str, Any]) -> MessageWindow:
    check_step(values, "evict_step_messages", "max_messages", values["max_messages"])
    return MessageWindow(
        max_messages=values["max_messages"],
        granularity=values["granularity"],
        on_overflow=values["on_overflow"],
        evict_step_messages=values["evict_step_messages"] or 0,
    )


SPEC = PolicySpec(
    "message_window",
    {
        "max_messages": Integer(1, MAX_MESSAGES, default=20),
        "granularity": GRANULARITY,
        "on_overflow": Choice(("keep", "error"), default="keep"),
        "evict_step_messages": Integer(1, MAX_MESSAGES),
        "system_counts": Just(value=True),
    },
    _build,
)
