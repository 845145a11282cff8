"""How a view is computed again with what long-term memory tells: its window stays, what stands before it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from chat_core.long_term import Told, found_message, joined, with_own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.memory import Counting, Earlier, MemoryPolicy, Notes, View
    from chat_core.messages import Message


class Looking(NamedTuple):
    """How a view is computed, but for what long-term memory tells."""

    policy: MemoryPolicy
    messages: tuple[Message, ...]
    system: Message | None
    instructions: Message | None
    inputs: int
    counting: Counting

    def at(self, earlier: Earlier) -> View:
        """Compute the view."""
        return self.policy.view(
            self.messages,
            system=self.system,
            instructions=self.instructions,
            inputs=self.inputs,
            earlier=earlier,
            counting=self.counting,
        )


def history_of(view: View, added: Sequence[Message]) -> list[Message]:
    """Give what a view shows of the history itself."""
    others = {id(message) for message in (*added, view.notes, view.recalled)}
    return [message for message in view.messages if id(message) not in others and message.role != "system"]


def telling_before(earlier: Earlier, notes: Notes, telling: Told) -> Earlier:
    """Have a view open on the user's own facts too, and tell before the input what comes up."""
    message = with_own(notes.message, telling.own)
    return replace(earlier, notes=replace(notes, message=message), recalled=found_message(telling.found))


def recalling_behind(looking: Looking, earlier: Earlier, recalled: Message) -> View:
    """Compute a view with what was recalled, behind the facts that come up."""
    return looking.at(replace(earlier, recalled=joined(earlier.recalled, recalled)))
