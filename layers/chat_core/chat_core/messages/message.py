"""Messages, tool calls and turns; their forms on the wire are in the modules beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Item = dict[str, Any]
"""One item of OpenAI's Responses API, as JSON."""

Role = Literal["system", "user", "assistant", "tool", "reasoning", "other"]
"""``system`` is OpenAI's ``system`` and ``developer``; ``reasoning`` and ``other`` are items without a role."""

Content = str | tuple[Mapping[str, Any], ...] | None
"""A text, or OpenAI's content parts, verbatim."""


_TEXT_PARTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that an assistant message asks for.

    Parameters
    ----------
    id
        The ``call_id`` that its result names.
    name
        The tool's name; empty where the item has none (``computer_call``).
    arguments
        The raw string as the model wrote it: JSON for functions, free text for custom tools.
    kind
        OpenAI's item type.
    item_id
        Id of the item itself, empty before the turn is committed.
    fields
        The item's other members, verbatim.
    """

    id: str
    name: str
    arguments: str
    kind: str = "function_call"
    item_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: an assistant's text and the calls made with it are one message.

    Parameters
    ----------
    role
        See `Role`.
    content
        See `Content`; None where there is no message item (an assistant that only calls tools).
    tool_calls
        Calls that the assistant asks for.
    tool_call_id
        The call that a ``tool`` message answers.
    id
        Id of the message's item, empty before the turn is committed.
    created_at
        Seconds since the epoch, 0 before the turn is committed.
    turn_id
        The turn that brought it.
    seq
        Place of the message's last item in the history, counted from 1; 0 before the turn is committed.
    fields
        The item's other members, verbatim; of an item that is no message or call, all but its id.
    """

    role: Role
    content: Content = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    id: str = ""
    created_at: int = 0
    turn_id: str = ""
    seq: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message's text parts, joined."""
        return text_of(self.content)

    @property
    def said(self) -> Content:
        """What the message says: its text where it holds nothing else, so that two forms of one text are the same."""
        plain = not isinstance(self.content, tuple) or all(map(_is_text, self.content))
        return self.text if plain else self.content


@dataclass(frozen=True, slots=True)
class Anchor:
    """An absolute place in the history, for windows with steps: both the head and the memory's policies tell it.

    Parameters
    ----------
    seq
        Place of a message's first item; 0: that of the conversation's first.
    position
        What precedes it since the conversation's start, in the unit of the step: messages or tokens.
    """

    seq: int = 0
    position: int = 0


BEGINNING = Anchor()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn adds to the history: the input's items and the model's, in order.

    Parameters
    ----------
    id
        ``turn_`` and a random part.
    items
        In the form in which they are stored, without ids.
    created_at
        Seconds since the epoch.
    """

    id: str
    items: tuple[Item, ...]
    created_at: int


def text_of(content: Content) -> str:
    """Join the text parts of a content; images and files have none."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if _is_text(part))


def _is_text(part: object) -> bool:
    """Tell a text part; a history written by others may hold anything."""
    return isinstance(part, Mapping) and isinstance(kind := part.get("type"), str) and kind in _TEXT_PARTS
