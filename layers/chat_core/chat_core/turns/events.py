"""What a turn is asked, and the events that it is answered with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from chat_core.cache import Directives
    from chat_core.errors import ChatError
    from chat_core.keys import Address
    from chat_core.messages import Item
    from chat_core.turns.once import Keyed


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A checked request for a turn.

    Parameters
    ----------
    address
        Of the conversation.
    body
        What goes to the model, without the input.
    input
        The caller's items.
    memory
        The request's own memory settings, or None.
    directives
        Of the response cache.
    fingerprint
        SHA-256 of the request's body, hex.
    keyed
        The caller's idempotency key with it, or None.
    retry_count
        How often the caller's SDK says that it sent this request before.
    """

    address: Address
    body: Mapping[str, Any]
    input: tuple[Item, ...]
    memory: Mapping[str, Any] | None
    directives: Directives
    fingerprint: str
    keyed: Keyed | None = None
    retry_count: int = 0


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The request is taken up."""

    turn_id: str
    conversation: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnCompleted:
    """The turn is in the history, whole.

    Parameters
    ----------
    answer
        OpenAI's response object with our members.
    headers
        What the answer's HTTP headers tell of it.
    """

    answer: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn left nothing behind."""

    error: ChatError


TurnEvent = TurnStarted | TextDelta | TurnCompleted | TurnFailed


async def fold(events: AsyncIterator[TurnEvent]) -> TurnCompleted:
    """Wait for a turn's end.

    Raises
    ------
    ChatError
        If the turn failed.
    """
    async for event in events:
        if isinstance(event, TurnFailed):
            raise event.error
        if isinstance(event, TurnCompleted):
            return event
    raise AssertionError
