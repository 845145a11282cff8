"""Turns as the model is given them to read: data between fixed tags, item by item, and no longer than it may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chat_core.long_term.fence import TRANSCRIPT, fenced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.long_term.turns import WholeTurn
    from chat_core.messages import Message

OMITTED = "[…]"
"""Stands where the middle of a text was left out."""

_FRAME_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Line:
    """An item of a transcript.

    Parameters
    ----------
    seq
        Of the message in the history.
    role
        Who said it.
    day
        When, in UTC: ``YYYY-MM-DD``; empty where that is not known.
    text
        What was said; of a tool its name and how its call ended.
    """

    seq: int
    role: str
    day: str
    text: str


def lines_of(turns: Sequence[WholeTurn]) -> tuple[Line, ...]:
    """Tell what was said in turns; of tools no payload, and nothing of what has no text."""
    return tuple(line for turn in turns for line in _lines(turn.messages))


def _lines(messages: Sequence[Message]) -> list[Line]:
    calls = {call.id: call.name for message in messages for call in message.tool_calls}
    found = []
    for message in messages:
        if message.role in ("user", "assistant"):
            text = message.text.strip()
        elif message.role == "tool":
            status = message.fields.get("status")
            text = f"{calls.get(message.tool_call_id, '')}: {status if isinstance(status, str) else 'completed'}"
        else:
            continue
        if text:
            found.append(Line(message.seq, message.role, _day(message.created_at), text))
    return found


def _day(created_at: int) -> str:
    return datetime.fromtimestamp(created_at, UTC).strftime("%Y-%m-%d") if created_at else ""


def transcript(lines: Sequence[Line]) -> str:
    """Write a transcript: each item begins with its number, who said it, and the day."""
    written = (f"[{number}] {line.role} {line.day}".rstrip() + f"\n{line.text}" for number, line in enumerate(lines, 1))
    return fenced(TRANSCRIPT, "\n".join(written))


def shortened(lines: Sequence[Line], count: Callable[[str], int], *, limit: int) -> tuple[Line, ...]:
    """Leave out the middles of the longest texts until all takes at most so many tokens, marking where.

    Items that are too many even so go from the middle, too.
    """
    kept = list(lines)
    most = max(limit // _FRAME_TOKENS // 2, 2)
    if len(kept) > most:
        kept = [*kept[: most // 2], Line(0, "tool", "", OMITTED), *kept[len(kept) - most // 2 :]]
    share = max(limit // len(kept) - _FRAME_TOKENS, 1) if kept else 0
    sizes = [count(line.text) for line in kept]
    # What short texts leave of their share goes to the long ones.
    spare = sum(share - size for size in sizes if size < share)
    long = sum(size > share for size in sizes)
    share += spare // long if long else 0
    return tuple(
        line if size <= share else Line(line.seq, line.role, line.day, _middle_out(line.text, count, share))
        for line, size in zip(kept, sizes, strict=True)
    )


def _middle_out(text: str, count: Callable[[str], int], limit: int) -> str:
    """Keep the beginning and the end of a text, as much of each as fits."""
    low, high = 0, len(text) // 2
    while low < high:
        half = (low + high + 1) // 2
        if count(f"{text[:half]}{OMITTED}{text[len(text) - half :]}") <= limit:
            low = half
        else:
            high = half - 1
    return f"{text[:low]}{OMITTED}{text[len(text) - low :]}"
