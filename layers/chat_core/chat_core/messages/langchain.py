"""Messages as LangChain's message dictionaries: the elements of the hot list, which LangChain reads as its history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chat_core.messages.langchain_content import write_content
from chat_core.messages.message import Message, Role, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_ELEMENT_BYTES = 131_072
"""What Momento takes as one element (https://docs.momentohq.com/cache/limits)."""

MAX_LIST_BYTES = 4 * 1024 * 1024
"""How large a list may grow: Momento stores 5 MB, but an answer of that size is refused by its client."""

_OURS = "omoide"

_TYPES: Mapping[Role, str] = {
    "system": "system",
    "user": "human",
    "assistant": "ai",
    "tool": "tool",
    "reasoning": "ai",
    "other": "ai",
}
_UNTYPED = ("reasoning", "other")  # roles that LangChain has no type for

# What the members of a stored item are unless our own member says otherwise.
_COMPLETED = {"status": "completed"}
_FUNCTION_OUTPUT = {"type": "function_call_output", "status": "completed"}


def to_langchain(message: Message) -> dict[str, Any]:
    """Write a message as ``langchain_core.messages.message_to_dict`` writes LangChain's own.

    What LangChain has no place for stands in ``additional_kwargs["omoide"]``: ids and times, and of everything else
    only what differs from a stored item's usual form. LangChain's own ``id`` stays empty, since its clients send
    that one back to the provider, who does not know ours.

    Reasoning and items of unknown kinds are ``ai`` messages without a text: every reader knows the type, and a model
    that is sent one learns nothing wrong.

    Parameters
    ----------
    message
        Any message; `from_langchain` gives it back.
    """
    content, fields = message.content, dict(message.fields)
    if message.role == "tool" and "type" in fields:
        content, fields = _output(message)
    kind = _TYPES[message.role]
    written = write_content(content, message.role, calls=bool(message.tool_calls))
    ours = {
        "id": message.id,
        "created_at": message.created_at,
        "turn_id": message.turn_id,
        "seq": message.seq,
        "role": message.role if message.role in _UNTYPED else "",
        **written.ours,
    }
    ours = {name: value for name, value in ours.items() if value}
    if fields != _usual_fields(message.role):
        ours["fields"] = fields
    data: dict[str, Any] = {
        "content": written.content,
        "additional_kwargs": {_OURS: ours},
        "response_metadata": {},
        "type": kind,
        "name": None,
        "id": None,
    }
    if kind == "ai":
        valid, invalid, calls = _write_calls(message.tool_calls)
        data |= {"tool_calls": valid, "invalid_tool_calls": invalid, "usage_metadata": None}
        if any(calls):
            ours["calls"] = calls
    elif kind == "tool":
        data |= {"tool_call_id": message.tool_call_id, "artifact": None, "status": "success"}
    return {"type": kind, "data": data}


def _output(message: Message) -> tuple[Any, dict[str, Any]]:
    """Split a tool's result into what the tool said and the item's other members."""
    output = message.fields.get("output")
    fields = {name: value for name, value in message.fields.items() if name != "output" or output is None}
    if fields.get("call_id") == message.tool_call_id:
        del fields["call_id"]
    return output, fields


def _usual_fields(role: Role) -> Mapping[str, Any]:
    if role == "tool":
        return _FUNCTION_OUTPUT
    return _COMPLETED if role in ("system", "user", "assistant") else {}


def _write_calls(calls: Iterable[ToolCall]) -> tuple[list[Any], list[Any], list[dict[str, Any]]]:
    valid: list[Any] = []
    invalid: list[Any] = []
    ours: list[dict[str, Any]] = []
    for call in calls:
        own: dict[str, Any] = {}
        ours.append(own)
        arguments, compact = _arguments(call.arguments)
        if arguments is None:
            own["invalid"] = True
            invalid.append(
                {"type": "invalid_tool_call", "id": call.id, "name": call.name, "args": call.arguments, "error": None}
            )
        else:
            valid.append({"name": call.name, "args": arguments, "id": call.id, "type": "tool_call"})
            if compact != call.arguments:
                own["arguments"] = call.arguments
        if call.kind != "function_call":
            own["kind"] = call.kind
        if call.item_id:
            own["id"] = call.item_id
        if call.fields != _COMPLETED:
            own["fields"] = dict(call.fields)
    return valid, invalid, ours


def _arguments(raw: str) -> tuple[dict[str, Any] | None, str]:
    """Read a call's arguments, None unless they are an object that JSON can write again; with that, how it does."""
    try:
        value = json.loads(raw)
        return (value, _compact(value, allow_nan=False)) if isinstance(value, dict) else (None, "")
    except (ValueError, RecursionError):
        return None, ""


def _compact(value: object, *, allow_nan: bool = True) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=allow_nan)


def element(message: Message) -> str:
    """Write a message as an element of the hot list.

    A message that Momento would refuse is stood in for by a ``system`` message of its size and ids, marked as
    ``incomplete``: LangChain's reader then still reads the list, and its user sees that something is missing. Half a
    surrogate pair, which UTF-8 cannot hold, becomes a question mark.
    """
    try:
        written = _compact(to_langchain(message)).encode("utf-8", "replace")
    except RecursionError:
        return _stand_in(message, "A message nested too deeply for the hot list")
    if len(written) > MAX_ELEMENT_BYTES:
        return _stand_in(message, f"A message of {len(written)} bytes, too large for the hot list")
    return written.decode()


def _stand_in(message: Message, what: str) -> str:
    stand_in = Message(
        "system",
        ({"type": "input_text", "text": f"{what}, stands in the durable history."},),
        id=message.id,
        created_at=message.created_at,
        turn_id=message.turn_id,
        seq=message.seq,
        fields={"status": "incomplete"},
    )
    return _compact(to_langchain(stand_in))


def fitting(sizes: Sequence[int], keep: int, max_bytes: int = MAX_LIST_BYTES) -> int:
    """Count how many of the newest elements a list may hold.

    Parameters
    ----------
    sizes
        Bytes of the elements, the newest last.
    keep
        At most so many.
    max_bytes
        At most so many bytes altogether.

    Examples
    --------
    >>> fitting([50, 30, 20], keep=200, max_bytes=60)
    2
    """
    total = 0
    for count, size in enumerate(reversed(sizes)):
        total += size
        if count == keep or total > max_bytes:
            return count
    return len(sizes)
