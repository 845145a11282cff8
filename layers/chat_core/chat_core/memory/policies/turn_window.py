"""``turn_window``: the newest turns, at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.memory.fields import MAX_TURNS, Integer, PolicySpec
from chat_core.memory.fit import Limit
from chat_core.memory.windows import Window

if TYPE_CHECKING:
    from chat_core.memory.policy import Counting
    from chat_core.messages import Message


@dataclass(frozen=True)
class TurnWindow(Window):
    """The newest ``max_turns``: a turn is a user's message and all up to the next, however many messages that is."""

    max_turns: int = 10

    name = "turn_window"

    @property
    def reach(self) -> int:
        """As many messages as plain turns have."""
        return 2 * self.max_turns + 2

    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """Only what opens a turn counts."""
        return Limit(self.max_turns, _turns, unit="turns")

    def widest(self, counting: Counting) -> Limit:
        """Take none off: the next input may go on with the same turn."""
        return Limit(self.max_turns, _turns, unit="turns")


def _turns(message: Message) -> int:
    return message.role == "user"


SPEC = PolicySpec(
    "turn_window",
    {"max_turns": Integer(1, MAX_TURNS, default=10)},
    lambda values: TurnWindow(max_turns=values["max_turns"]),
)
