"""Events as the text of a server-sent event stream (WHATWG HTML, 9.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# No ends of a line in a stream, but many a client's function that splits lines takes them for such.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}


DONE = "data: [DONE]\n\n"
"""The mark of the end of a stream of chunks."""


def event_frame(event: Mapping[str, Any]) -> str:
    """Write an event of the Responses API with its type as the event's name."""
    return f"event: {event['type']}\ndata: {_json(event)}\n\n"


def event_frames(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write each event of the Responses API."""
    return map(event_frame, events)


def chunk_frame(chunk: Mapping[str, Any]) -> str:
    """Write a chunk of the Chat Completions API."""
    return f"data: {_json(chunk)}\n\n"


def chunk_frames(chunks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write each chunk of the Chat Completions API, and the mark of the end."""
    yield from map(chunk_frame, chunks)
    yield DONE


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, whose other half a model may send in its next delta.
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(_LINE_ENDS)
