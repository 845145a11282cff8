"""The items of a response made whole: pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from chat_core.keys import item_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping


class Asked(NamedTuple):
    """What an answer is made whole from, where the provider does not say.

    Parameters
    ----------
    body
        The request.
    now
        Seconds since the epoch.
    id
        The answer's.
    """

    body: Mapping[str, Any]
    now: int
    id: str


class NoAnswer(ValueError):
    """What a provider answered is no answer and cannot be made one."""


_LAST_SECOND = 253_402_300_800  # the year 10000, which no date type has
_MOST = 2**31 - 1
STATUSES = frozenset({"in_progress", "completed", "incomplete"})

# Of items with a content of their own: what OpenAI's schema requires beside id and type, where the provider left it
# out.
_REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "reasoning": {"summary": []},
    "web_search_call": {"status": "completed", "action": {"type": "search", "query": ""}},
    "file_search_call": {"status": "completed", "queries": []},
    "code_interpreter_call": {"status": "completed", "container_id": "", "code": None, "outputs": None},
    "image_generation_call": {"status": "completed", "result": None},
    "mcp_call": {"server_label": "", "name": "", "arguments": ""},
    "mcp_list_tools": {"server_label": "", "tools": []},
    "mcp_approval_request": {"server_label": "", "name": "", "arguments": ""},
}
_CALL_TEXTS = {"function_call": "arguments", "custom_tool_call": "input"}
_LISTS = ("content", "summary", "queries", "tools", "outputs", "results")
_TEXTS = ("arguments", "input", "name", "server_label", "code", "result", "encrypted_content")


def whole_item(item: object) -> dict[str, Any]:
    """Make an item of a response whole.

    Raises
    ------
    NoAnswer
        If it has no type, or its members are not of the kinds that its type has.
    """
    if not isinstance(item, dict):
        raise NoAnswer
    kind = item.get("type", "message" if "role" in item or "content" in item else None)
    if not isinstance(kind, str) or not kind:
        raise NoAnswer
    whole = {**item, "type": kind, "id": text_of(item, "id", default=f"{item_prefix(kind)}_{uuid4().hex}")}
    if kind == "message":
        return _whole_message(whole)
    if kind in _CALL_TEXTS:
        return _whole_call(whole, _CALL_TEXTS[kind])
    for name, value in _REQUIRED.get(kind, {}).items():
        if whole.get(name) is None:
            whole[name] = value
    _check_members(whole)
    return whole


def _whole_message(item: Mapping[str, Any]) -> dict[str, Any]:
    role = item.get("role")
    if role is not None and not isinstance(role, str):
        raise NoAnswer
    # Whatever a provider calls its model: an answer that named itself a system message would become one.
    return {**item, "role": "assistant", "status": _status(item), "content": _whole_content(item.get("content"))}


def _whole_content(content: object) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list):
        raise NoAnswer
    return [whole_part(part) for part in content]


def whole_part(part: object) -> dict[str, Any]:
    """Make a part of a message whole.

    Raises
    ------
    NoAnswer
        If it has no type, or its text is none.
    """
    if isinstance(part, str):
        part = {"type": "output_text", "text": part}
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise NoAnswer
    if part["type"] in ("output_text", "text"):
        lists = {"annotations": objects_of(part, "annotations"), "logprobs": log_probabilities_of(part, "logprobs")}
        return {**part, "type": "output_text", "text": text_of(part, "text"), **lists}
    if part["type"] == "refusal":
        return {**part, "refusal": text_of(part, "refusal")}
    return part if "text" not in part else {**part, "text": text_of(part, "text")}


def _whole_call(item: Mapping[str, Any], text: str) -> dict[str, Any]:
    call_id = text_of(item, "call_id", default=str(item["id"]))
    if not isinstance(item.get("name"), str) or not item["name"]:
        raise NoAnswer
    return {**item, "call_id": call_id, text: arguments_of(item.get(text)), "status": _status(item)}


def _status(item: Mapping[str, Any]) -> str:
    status = item.get("status")
    return status if isinstance(status, str) and status in STATUSES else "completed"


def _check_members(item: dict[str, Any]) -> None:
    """Check the members that are read of any kind of item, and make the parts among them whole."""
    for name in _TEXTS:
        if item.get(name) is not None and not isinstance(item[name], str):
            raise NoAnswer
    for name in _LISTS:
        if item.get(name) is not None and not isinstance(item[name], list):
            raise NoAnswer
    for name in ("content", "summary"):
        for part in item.get(name) or ():
            if not isinstance(part, dict) or not isinstance(part.get("type"), str):
                raise NoAnswer
            part["text"] = text_of(part, "text")


def arguments_of(value: object) -> str:
    """Give the arguments of a call as the text that they are.

    Raises
    ------
    NoAnswer
        If they are neither a text nor an object.
    """
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if value is not None and not isinstance(value, str):
        raise NoAnswer
    return value or ""


def text_of(holder: Mapping[str, Any], name: str, default: str = "") -> str:
    """Give a text member; the default where it is not there, or empty.

    Raises
    ------
    NoAnswer
        If it is of another kind.
    """
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise NoAnswer
    return value or default


def objects_of(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give a list of objects; an empty one where the member is none."""
    value = holder.get(name)
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def log_probabilities_of(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the log-probabilities of a text; none where one of them is not as OpenAI's are."""
    whole = []
    for entry in objects_of(holder, name):
        token, spelled = entry.get("token"), entry.get("bytes")
        if not isinstance(token, str) or not isinstance(entry.get("logprob"), int | float):
            return []
        if not isinstance(spelled, list):
            spelled = list(token.encode())
        whole.append({**entry, "bytes": spelled, "top_logprobs": objects_of(entry, "top_logprobs")})
    return whole


def count_of(usage: Mapping[str, Any], *names: str) -> int:
    """Give the first of these members that is a number of tokens; 0 where none is."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return min(int(value), _MOST)
    return 0


def time_of(value: object, now: int) -> int:
    """Give a time in whole seconds since the epoch; now where there is none."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LAST_SECOND
    return int(value) if known else now  # type: ignore[call-overload]
