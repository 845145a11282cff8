"""Messages as LangChain's message dictionaries: the elements of the hot list, which LangChain reads as its history."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from chat_core.messages.langchain_content import read_content, write_content
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
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "SystemMessageChunk": "system",
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "tool": "tool",
    "ToolMessageChunk": "tool",
    "chat": "other",
    "ChatMessageChunk": "other",
    "function": "other",
    "FunctionMessageChunk": "other",
}
_CHAT_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}

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
        "role": message.role if _ROLES[kind] != message.role else "",
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


def parse_element(text: str) -> Message | None:
    """Read an element of the hot list; None if it is not LangChain's JSON."""
    try:
        return from_langchain(json.loads(text))
    except (ValueError, RecursionError):
        return None


def from_langchain(element: Mapping[str, Any]) -> Message:
    """Read a message of ours or of LangChain's own.

    Raises
    ------
    ValueError
        If it is neither.
    """
    kind = _member(element, "type", str)
    data = _member(element, "data", dict)
    if kind not in _ROLES:
        raise ValueError("Not a type of LangChain's that holds a message.")
    if not isinstance(data.get("content"), str | list):
        raise ValueError("The content of a LangChain message is a text or a list.")  # noqa: TRY004 - bad data
    ours = _member(data, "additional_kwargs", dict, {}).get(_OURS)
    return _foreign(kind, data) if ours is None else _own(kind, data, _checked(ours, dict))


def _foreign(kind: str, data: Mapping[str, Any]) -> Message:
    role = _ROLES[kind]
    fields: dict[str, Any] = {}
    if role == "other":
        named = _member(data, "role", str, "function")
        role = _CHAT_ROLES.get(named, "other")
        fields |= {"role": named} if role == "other" or named == "developer" else {}
    if isinstance(data.get("name"), str):
        fields["name"] = data["name"]
    calls = _read_calls(data, [])
    form = {"form": "string"} if isinstance(data["content"], str) and (data["content"] or not calls) else {}
    return Message(
        role,
        read_content(data["content"], role, form, calls=bool(calls)),
        tool_calls=calls,
        tool_call_id=_member(data, "tool_call_id", str, "") if role == "tool" else "",
        id=data["id"] if isinstance(data.get("id"), str) else "",
        fields=fields,
    )


def _own(kind: str, data: Mapping[str, Any], ours: Mapping[str, Any]) -> Message:
    named = _member(ours, "role", str, _ROLES[kind])
    role = next((role for role in _TYPES if role == named), None)
    if role is None:
        raise ValueError("Not a role of a message.")
    calls = _read_calls(data, _member(ours, "calls", list, []))
    content = read_content(data["content"], role, ours, calls=bool(calls))
    fields = _member(ours, "fields", dict, dict(_usual_fields(role)))
    tool_call_id = _member(data, "tool_call_id", str) if role == "tool" else ""
    if role == "tool" and "type" in fields:
        output = {} if content is None else {"output": list(content) if isinstance(content, tuple) else content}
        content, fields = None, {"call_id": tool_call_id, **output, **fields}
    return Message(
        role,
        content,
        tool_calls=calls,
        tool_call_id=tool_call_id,
        id=_member(ours, "id", str, ""),
        created_at=_member(ours, "created_at", int, 0),
        turn_id=_member(ours, "turn_id", str, ""),
        seq=_member(ours, "seq", int, 0),
        fields=fields,
    )


def _read_calls(data: Mapping[str, Any], ours: Sequence[Any]) -> tuple[ToolCall, ...]:
    valid = iter(_member(data, "tool_calls", list, []))
    invalid = iter(_member(data, "invalid_tool_calls", list, []))
    calls = []
    for own in ours:
        call = next(invalid if _member(own, "invalid", bool, False) else valid, None)
        calls.append(_read_call(call, own))
    calls.extend(_read_call(call, {}) for call in chain(valid, invalid))
    return tuple(calls)


def _read_call(call: object, own: Mapping[str, Any]) -> ToolCall:
    call = _checked(call, dict)
    arguments = call.get("args")
    return ToolCall(
        id=str(call.get("id") or ""),
        name=str(call.get("name") or ""),
        arguments=_member(own, "arguments", str, arguments if isinstance(arguments, str) else _compact(arguments)),
        kind=_member(own, "kind", str, "function_call"),
        item_id=_member(own, "id", str, ""),
        fields=_member(own, "fields", dict, dict(_COMPLETED)),
    )


T = TypeVar("T")


def _member(holder: object, name: str, kind: type[T], default: T | None = None) -> T:
    value = _checked(holder, dict).get(name)
    return default if value is None and default is not None else _checked(value, kind)


def _checked(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise ValueError("Not a message of LangChain's or of ours.")  # noqa: TRY004 - bad data
    return value
