"""The history as units that stay or go whole, read backwards and repaired on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from chat_core.messages import Message, ToolCall, from_items, to_items

if TYPE_CHECKING:
    from chat_core.memory.reasons import Reason
    from chat_core.messages import Item

Drop = Callable[[int, Message, "Reason"], None]
"""Told of every message that is not emitted, and of the calls that are stripped off one that is, with its index."""


class Unit(NamedTuple):
    """Messages that stay or go together, as they are emitted.

    Parameters
    ----------
    messages
        In order.
    start
        Index of the first of them in the sequence that was read.
    user
        Whether it is a user's message, which opens a turn.
    exchange
        Whether it holds tool calls, all answered.
    """

    messages: tuple[Message, ...]
    start: int
    user: bool = False
    exchange: bool = False


def units_backwards(messages: Sequence[Message], drop: Drop | None = None) -> Iterator[Unit]:
    """Read the newest unit first, and no further than asked.

    A unit is a user's message; an assistant's message with its calls, their results and the reasoning and other items
    that led to it; or other items that lead to nothing. Calls in a row are one exchange: OpenAI's items draw no line
    between them. Results are matched by id with the nearest call before them and stand behind it in the order in which
    they came; a second result and one without a call are not emitted. A call without a result is emitted in the newest
    unit only. System messages are no units: see `pinned_system`.
    """
    return _Reader(messages, drop).read()


class _Reader:
    """The state of reading backwards: the unit that is open, and results whose call is yet to come."""

    def __init__(self, messages: Sequence[Message], drop: Drop | None) -> None:
        self._messages = messages
        self._drop = drop
        self._results: dict[str, list[int]] = {}  # newest first
        self._core: list[Message] = []  # of the open unit, without results, newest first
        self._answers: list[int] = []
        self._start = 0
        self._joinable = False  # whether calls directly before the open unit belong to it
        self._newest = True  # whether nothing newer than the open unit is emitted

    def read(self) -> Iterator[Unit]:  # noqa: C901, PLR0912 (a branch for each role)
        messages = self._messages
        for index in range(len(messages) - 1, -1, -1):
            message = messages[index]
            role = message.role
            if role == "user":
                if self._core:
                    yield self._close()
                self._newest = False
                yield Unit((message if message.content else _with_text(message),), index, user=True)
            elif role == "assistant":
                if self._core and not (self._joinable and message.tool_calls and index == self._start - 1):
                    self._newest = self._newest and self._core[0].role == "other"
                    yield self._close()
                emitted = self._answered(index) if message.tool_calls else message
                if emitted.tool_calls or emitted.content or (emitted.content == "" and not message.tool_calls):
                    self._open(index, emitted, joinable=emitted.content is None)
                elif not message.tool_calls:
                    self._tell(index, message, "empty")
            elif role == "tool":
                self._result(index, message)
            elif role != "system":
                reason = _unsendable(message, leads_nowhere=not self._core)
                if reason is None:
                    self._open(index, message, joinable=False)
                else:
                    self._tell(index, message, reason)
        if self._core:
            yield self._close()
        for orphans in self._results.values():
            for index in orphans:
                self._tell(index, messages[index], "orphan")

    def _open(self, index: int, message: Message, *, joinable: bool) -> None:
        self._core.append(message)
        self._start = index
        self._joinable = joinable and bool(message.tool_calls)

    def _close(self) -> Unit:
        if not self._answers:
            unit = Unit(tuple(reversed(self._core)), self._start)
            self._core = []
            return unit
        found = [self._messages[index] for index in sorted(self._answers)]
        calls = sum(len(message.tool_calls) for message in self._core)
        unit = Unit((*reversed(self._core), *found), self._start, exchange=calls == len(found))
        self._core = []
        self._answers = []
        return unit

    def _result(self, index: int, message: Message) -> None:
        if message.tool_call_id:
            self._results.setdefault(message.tool_call_id, []).append(index)
        else:
            self._tell(index, message, "orphan")

    def _answered(self, index: int) -> Message:
        """Take the results of a message's calls, and strip the calls that have none unless they may be pending."""
        message = self._messages[index]
        stripped: list[ToolCall] = []
        for call in message.tool_calls:
            found = self._results.pop(call.id, None)
            if found:
                self._answers.append(found.pop())
                for second in found:
                    self._tell(second, self._messages[second], "duplicate")
            elif not self._newest:
                stripped.append(call)
        if not stripped:
            return message
        left = tuple(call for call in message.tool_calls if not any(call is one for one in stripped))
        gone = message
        if left or message.content:
            gone = replace(message, content=None, id="", tool_calls=tuple(stripped), seq=0)
        self._tell(index, gone, "unanswered")
        return replace(message, tool_calls=left, seq=0)

    def _tell(self, index: int, message: Message, reason: Reason) -> None:
        if self._drop:
            self._drop(index, message, reason)


def has_late_results(messages: Sequence[Message], added: Sequence[Message]) -> bool:
    """Whether messages that are added answer calls that a view of the messages alone leaves out or does not know.

    Such a result brings its call back, and what stands around it may be cut in other units: what was kept for the next
    view may have been kept without it.
    """
    late = False
    own: set[str] = set()
    awaited: set[str] | None = None
    for message in added:
        if message.role == "tool" and message.tool_call_id and message.tool_call_id not in own:
            awaited = _answerable(messages) if awaited is None else awaited
            late |= message.tool_call_id not in awaited
        own |= {call.id for call in message.tool_calls}
    return late


def _answerable(messages: Sequence[Message]) -> set[str]:
    """Name the calls that a view has: those that are answered, and those of the newest unit."""
    known = {call.id for message in messages for call in message.tool_calls}

    def left_out(_: int, message: Message, reason: Reason) -> None:
        if reason == "unanswered":
            known.difference_update(call.id for call in message.tool_calls)

    deque(units_backwards(messages, left_out), maxlen=0)
    return known


def _with_text(message: Message) -> Message:
    """Give a user's message without any content the empty text: the turn stays what it is, and providers accept it."""
    return message if message.content == "" else replace(message, content="", seq=0)


def _unsendable(message: Message, *, leads_nowhere: bool) -> Reason | None:
    kind = message.fields.get("type")
    if message.role == "reasoning":
        # A provider that stores nothing can read reasoning only by its encrypted content.
        if leads_nowhere or (kind == "reasoning" and not message.fields.get("encrypted_content")):
            return "reasoning"
        return None
    return None if isinstance(kind, str) and kind else "unknown_role"


def opens_on_reasoning(unit: Unit) -> bool:
    """Whether a view that starts here would start with reasoning about what it does not hold."""
    return unit.messages[0].role == "reasoning"


def _may_be_same(message: Message, pinned: Message) -> bool:
    """Whether a message that says what the pinned one does may be that one, as far as ids tell."""
    return not pinned.id or not message.id or message.id == pinned.id


def pinned_system(
    messages: Sequence[Message], pinned: Message | None = None, drop: Drop | None = None
) -> Message | None:
    """Fold system messages into the one slot: one that says else replaces what was pinned, the same is ignored.

    Parameters
    ----------
    messages
        Of any role.
    pinned
        The slot's message so far; it may be one of ``messages``.
    drop
        Told of those that are not the slot's.
    """
    place = -1
    for index in [index for index, message in enumerate(messages) if message.role == "system"]:
        message = messages[index]
        if not message.said:
            if drop:
                drop(index, message, "empty")
        elif pinned is None or message.said != pinned.said:
            if drop and pinned is not None and place >= 0:
                drop(place, pinned, "superseded_system")
            pinned, place = message, index
        elif place < 0 and _may_be_same(message, pinned):
            place = index
        elif drop:
            drop(index, message, "duplicate")
    return pinned


def pinned_item(given: Sequence[Message], pinned: Item | None) -> Item | None:
    """Tell which system message holds after messages, as an item to store: what was pinned, unless they say else."""
    before = from_items([pinned])[0] if pinned else None
    after = pinned_system(given, before)
    return pinned if after is before or after is None else to_items([after])[0]
