"""Messages as OpenAI's chat completions write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.messages.items import ROLES
from chat_core.messages.message import Message, Role, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def from_chat(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Read messages of chat completions.

    Parameters
    ----------
    messages
        ``{"role", "content", "tool_calls"?, "tool_call_id"?, …}``; calls in OpenAI's nested form or flat, as
        ``{"id", "name", "arguments"}``.
    """
    return tuple(_from_chat(message) for message in messages)


_CHAT_ROLES: Mapping[str, Role] = {**ROLES, "tool": "tool", "function": "tool", "reasoning": "reasoning"}
_CHAT_MEMBERS = frozenset({"id", "role", "content", "tool_calls", "tool_call_id"})


def _from_chat(message: Mapping[str, Any]) -> Message:
    content = message.get("content")
    named = str(message.get("role", ""))
    role = _CHAT_ROLES.get(named, "other")
    fields = {name: value for name, value in message.items() if name not in _CHAT_MEMBERS}
    if named != role:
        fields["role"] = named
    return Message(
        role,
        tuple(content) if isinstance(content, list | tuple) else content,
        tool_calls=tuple(_from_chat_call(call) for call in message.get("tool_calls") or ()),
        tool_call_id=str(message.get("tool_call_id") or ""),
        id=str(message.get("id") or ""),
        fields=fields,
    )


def _from_chat_call(call: Mapping[str, Any]) -> ToolCall:
    kind = "custom" if call.get("type") == "custom" else "function"
    body = call.get(kind, call)
    return ToolCall(
        id=str(call.get("id") or ""),
        name=str(body.get("name") or ""),
        arguments=str(body.get("input" if kind == "custom" else "arguments") or ""),
        kind="custom_tool_call" if kind == "custom" else "function_call",
    )


def to_chat(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Write messages as chat completions' messages: the inverse of `from_chat`, calls in the nested form."""
    return [_to_chat(message) for message in messages]


def _to_chat(message: Message) -> dict[str, Any]:
    content: Any = list(message.content) if isinstance(message.content, tuple) else message.content
    chat: dict[str, Any] = {"role": message.role, "content": content, **message.fields}
    if message.id:
        chat["id"] = message.id
    if message.tool_calls:
        chat["tool_calls"] = [_to_chat_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        chat["tool_call_id"] = message.tool_call_id
    return chat


def _to_chat_call(call: ToolCall) -> dict[str, Any]:
    if call.kind == "custom_tool_call":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
