"""Reads LangChain's message dictionaries back: what the hot list holds is whole, and LangChain's own are understood."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from chat_core.messages.langchain import _COMPLETED, _OURS, _TYPES, _compact, _usual_fields
from chat_core.messages.langchain_content import _usual_form, _usual_rest
from chat_core.messages.message import Message, Role, ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

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


def _member(holder: object, name: str, kind: type[T], default: T | None = None) -> T:
    value = _checked(holder, dict).get(name)
    return default if value is None and default is not None else _checked(value, kind)


def _checked(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise ValueError("Not a message of LangChain's or of ours.")  # noqa: TRY004 - bad data
    return value


def read_content(written: str | list[Any], role: Role, ours: Mapping[str, Any], *, calls: bool) -> Any:
    """Read what `chat_core.messages.langchain_content.write_content` wrote: parts as a tuple.

    Raises
    ------
    ValueError
        If ``ours`` does not fit the content.
    """
    form = ours.get("form") or _usual_form(written, role, calls=calls)
    if form == "null":
        return None
    if form == "string" and isinstance(written, str):
        return written
    if form == "value" and isinstance(written, list) and len(written) == 1:
        return _read_part(written[0], role, None)
    if form != "parts":
        raise ValueError("A content in a form that this version does not know.")
    parts: list[Any] = [{"type": "text", "text": written}] if isinstance(written, str) else written
    own = ours.get("parts") or [None] * len(parts)
    if not isinstance(own, list):
        raise ValueError("Not what was written beside the parts.")  # noqa: TRY004 - bad data
    return tuple(_read_part(part, role, kept) for part, kept in zip(parts, own, strict=True))


def _read_part(part: Any, role: Role, own: object) -> Any:
    if own is True or not isinstance(part, dict):
        return part
    if isinstance(own, dict):
        return {**own, "text": part.get("text")}
    kind, image = part.get("type"), part.get("image_url")
    if kind == "text" and isinstance(part.get("text"), str):
        rest = _usual_rest(role)
        return {**rest, **part, "type": rest["type"]}
    if kind == "image_url" and isinstance(image, dict) and {"url"} <= image.keys() <= {"url", "detail"}:
        detail = {"detail": image["detail"]} if "detail" in image else {}
        return {"type": "input_image", "image_url": image["url"], **detail}
    return part["value"] if kind == "non_standard" and part.keys() == {"type", "value"} else part
