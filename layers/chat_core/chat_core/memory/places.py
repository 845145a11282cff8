"""Absolute places in a history: from where the steps of a window are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.memory.policy import Earlier
    from chat_core.messages import Message


def first_item(message: Message) -> int:
    """Place of the message's first item in the history; 0 before the turn is committed."""
    if not message.seq:
        return 0
    items = len(message.tool_calls) + (message.content is not None or not message.tool_calls)
    return message.seq - items + 1


class Places:
    """Absolute places of messages: what was stored before them, system messages apart.

    Parameters
    ----------
    messages
        At hand.
    cost
        Of one message, as it is stored.
    earlier
        Its anchor is where counting starts.
    """

    def __init__(self, messages: Sequence[Message], cost: Callable[[Message], int], earlier: Earlier) -> None:
        self._messages = messages
        self._cost = cost
        self._index: int | None = None
        self._place = 0
        anchor = earlier.anchor
        if anchor is None:
            return
        self._place = anchor.position
        if not anchor.seq:
            self._index = 0 if earlier.whole else None
        elif messages and (earlier.whole or first_item(messages[0]) <= anchor.seq):
            reached = (i for i, message in enumerate(messages) if not message.seq or message.seq >= anchor.seq)
            self._index = next(reached, len(messages))

    def at(self, index: int) -> int | None:
        """Place of the message with this index; None when there is nothing to count from."""
        if self._index is None:
            return None
        between = self._messages[min(self._index, index) : max(self._index, index)]
        distance = sum(self._cost(message) for message in between if message.role != "system")
        self._place += distance if index >= self._index else -distance
        self._index = index
        return self._place
