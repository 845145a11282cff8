"""The history in turns: what goes into a fold goes whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.memory import first_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.messages import Message


@dataclass(frozen=True, slots=True)
class WholeTurn:
    """A user's messages and all that was answered to them; the first may open otherwise.

    Parameters
    ----------
    messages
        In order, system messages left out: those are pinned, and no part of what is remembered.
    first, last
        Seqs of its first and last item, system messages included.
    """

    messages: tuple[Message, ...]
    first: int
    last: int


def whole_turns(messages: Sequence[Message]) -> tuple[WholeTurn, ...]:
    """Cut messages into turns: one opens where a user speaks after somebody else did."""
    groups: list[list[Message]] = []
    before = ""
    for message in messages:
        if message.role == "system" and groups:
            groups[-1].append(message)
            continue
        if not groups or (message.role == "user" and before not in ("user", "system")):
            groups.append([])
        groups[-1].append(message)
        before = message.role
    return tuple(_turn(group) for group in groups)


def _turn(group: Sequence[Message]) -> WholeTurn:
    said = tuple(message for message in group if message.role != "system")
    return WholeTurn(said, first_item(group[0]), group[-1].seq)
