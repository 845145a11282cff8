"""Messages as items of OpenAI's Responses API: stored, answered, and sent to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.messages.message import Item, Message, Role, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable


def stored_item(item: Mapping[str, Any]) -> Item:
    """Bring an item of a request or an answer into the form of OpenAI's item resources, without an id.

    A text content becomes a list of parts, and members that the resource needs get their defaults. Whatever
    else the item holds stays as it is; an item of an unknown kind is kept verbatim.

    Parameters
    ----------
    item
        An input or output item of the Responses API.

    Returns
    -------
    Item
        A new dictionary.
    """
    stored = {name: value for name, value in item.items() if name != "id"}
    kind = stored.setdefault("type", "message")
    if kind == "message":
        stored["content"] = _stored_content(stored.get("content"), assistant=stored.get("role") == "assistant")
    if kind in _WITH_STATUS and stored.get("status") is None:
        stored["status"] = "completed"
    return stored


_WITH_STATUS = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call_output", "computer_call_output"}
)


def _stored_content(content: object, *, assistant: bool) -> list[Any]:
    if isinstance(content, str):
        content = [{"type": "output_text" if assistant else "input_text", "text": content}]
    return [_stored_part(part) for part in content] if isinstance(content, list | tuple) else []


def _stored_part(part: object) -> object:
    if not isinstance(part, Mapping):
        return part
    defaults: Mapping[str, Any] = {}
    if part.get("type") == "output_text":
        defaults = {"annotations": [], "logprobs": []}
    elif part.get("type") == "input_image":
        defaults = {"detail": "auto"}
    return {**part, **{name: value for name, value in defaults.items() if part.get(name) is None}}


def from_items(
    items: Iterable[Mapping[str, Any]], *, turn_id: str = "", created_at: int = 0, first_seq: int = 0
) -> tuple[Message, ...]:
    """Read the items of one turn as messages.

    An assistant's message and the calls directly behind it are one message, as are calls in a row;
    every other item is a message of its own. `to_items` is the inverse.

    Parameters
    ----------
    items
        Items of one turn, in order.
    turn_id, created_at
        Of the turn.
    first_seq
        Place of the first item in the history; 0 when the turn is not committed.
    """
    messages: list[Message] = []
    open_assistant = False
    for place, item in enumerate(items):
        seq = first_seq + place if first_seq else 0
        call = _tool_call(item)
        if call is None:
            message = _message(item, turn_id, created_at, seq)
            messages.append(message)
            open_assistant = message.role == "assistant"
        elif open_assistant:
            last = messages[-1]
            messages[-1] = replace(last, tool_calls=(*last.tool_calls, call), seq=seq)
        else:
            messages.append(Message("assistant", tool_calls=(call,), turn_id=turn_id, created_at=created_at, seq=seq))
            open_assistant = True
    return tuple(messages)


_CALL_TEXT = {"function_call": "arguments", "custom_tool_call": "input"}
_CALL_MEMBERS = frozenset({"type", "id", "call_id", "name"})


def _tool_call(item: Mapping[str, Any]) -> ToolCall | None:
    kind = str(item.get("type", ""))
    call_id = item.get("call_id")
    if not kind.endswith("_call") or not isinstance(call_id, str) or not call_id:
        return None
    text = _CALL_TEXT.get(kind, "")
    return ToolCall(
        id=call_id,
        name=str(item.get("name") or ""),
        arguments=str(item.get(text, "")),
        kind=kind,
        item_id=str(item.get("id") or ""),
        fields={k: v for k, v in item.items() if k not in _CALL_MEMBERS and k != text},
    )


def _message(item: Mapping[str, Any], turn_id: str, created_at: int, seq: int) -> Message:
    kind = str(item.get("type", "message"))
    item_id = str(item.get("id") or "")
    role: Role
    fields = {name: value for name, value in item.items() if name != "id"}
    if kind == "message":
        content = fields.pop("content", None)
        named = fields.pop("role", "")
        fields.pop("type", None)
        role = ROLES.get(named, "other")
        if named != role:
            fields["role"] = named
        return Message(
            role,
            tuple(content) if isinstance(content, list | tuple) else content,
            id=item_id,
            created_at=created_at,
            turn_id=turn_id,
            seq=seq,
            fields=fields,
        )
    answers = str(item.get("call_id") or "") if kind.endswith("_output") else ""
    role = "tool" if answers else "reasoning" if kind == "reasoning" else "other"
    return Message(
        role,
        tool_call_id=answers,
        id=item_id,
        created_at=created_at,
        turn_id=turn_id,
        seq=seq,
        fields=fields,
    )


ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def to_items(messages: Iterable[Message]) -> list[Item]:
    """Write messages as the items that they were read from, ids included where they have one."""
    items: list[Item] = []
    for message in messages:
        if message.role in ("tool", "reasoning", "other") and "type" in message.fields:
            items.append(_with_id(message.id, dict(message.fields)))
            continue
        if message.content is not None or not message.tool_calls:
            items.append(_with_id(message.id, _message_item(message)))
        items.extend(_with_id(call.item_id, _call_item(call)) for call in message.tool_calls)
    return items


def _with_id(item_id: str, item: Item) -> Item:
    return {"id": item_id, **item} if item_id else item


def _message_item(message: Message) -> Item:
    content: Any = list(message.content) if isinstance(message.content, tuple) else message.content
    if message.role == "tool":
        return {"type": "function_call_output", "call_id": message.tool_call_id, "output": content}
    return {"type": "message", "role": message.role, "content": content, **message.fields}


def _call_item(call: ToolCall) -> Item:
    item: Item = {"type": call.kind, "call_id": call.id}
    if call.name:
        item["name"] = call.name
    if text := _CALL_TEXT.get(call.kind):
        item[text] = call.arguments
    return {**item, **call.fields}


def upstream_items(messages: Iterable[Message]) -> list[Item]:
    """Write messages as they go to the model.

    Without ids and states of ours, since the provider knows neither; a reasoning item only with its
    ``encrypted_content``, the one form that a provider that stores nothing can read; a plain text as a string.
    """
    items: list[Item] = []
    for message in messages:
        text = plain_text(message)
        items += _upstream(message) if text is None else [{"type": "message", "role": message.role, "content": text}]
    return items


def plain_text(message: Message) -> str | None:
    """Give the text of a message that goes to the model as its role and this text alone; None for any other."""
    content = message.content
    if message.tool_calls or message.role not in _SPEAKERS or not message.fields.keys() <= _STATUS:
        return None
    if isinstance(content, tuple):
        content = plain_content(list(content))
    return content if isinstance(content, str) else None


_SPEAKERS = frozenset({"system", "user", "assistant"})
_STATUS = frozenset({"status"})


def _upstream(message: Message) -> list[Item]:
    items: list[Item] = []
    for item in to_items([message]):
        if item.get("type") == "reasoning" and not item.get("encrypted_content"):
            continue
        sent = {name: value for name, value in item.items() if name not in ("id", "status")}
        if item.get("type") == "message":
            sent["content"] = plain_content(sent.get("content"))
        items.append(sent)
    return items


def plain_content(content: Any) -> Any:
    """Give the text of a content that is one bare text part, and any other content as it is."""
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], Mapping):
        return content
    part = content[0]
    bare = part.get("type") in ("input_text", "output_text") and not any(
        value for name, value in part.items() if name not in ("type", "text")
    )
    return part["text"] if bare and isinstance(part.get("text"), str) else content
