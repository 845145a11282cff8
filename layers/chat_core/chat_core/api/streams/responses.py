"""The events of a response: the sequence in which OpenAI's Responses API streams it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from chat_core.api.streams.deltas import delta_events, deltas
from chat_core.api.streams.tool_calls import tool_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Event = dict[str, Any]

_ENDS = {"completed": "completed", "failed": "failed", None: "completed"}
# What each kind of item does not have yet when it is announced.
_PENDING: Mapping[str, Mapping[str, Any]] = {
    "message": {"content": []},
    "reasoning": {"summary": [], "content": [], "encrypted_content": None},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
    "web_search_call": {},
    "file_search_call": {"results": None},
    "code_interpreter_call": {"code": "", "outputs": None},
    "image_generation_call": {"result": None},
    "mcp_call": {"arguments": "", "output": None, "error": None},
    "mcp_list_tools": {"tools": [], "error": None},
}
# Of each kind of content part: the member that comes in deltas.
_TEXTS = {"output_text": "text", "reasoning_text": "text", "refusal": "refusal"}


def response_events(response: Mapping[str, Any]) -> Iterator[Event]:
    """Yield every event of a finished response, numbered from 0.

    An item of a kind that is not known here is announced and done, and so is a content part.

    Parameters
    ----------
    response
        OpenAI's response object; members of any other kind stay in it.
    """
    for number, event in enumerate(_events(response)):
        yield {"type": event["type"], "sequence_number": number, **event}


def _events(response: Mapping[str, Any]) -> Iterator[Event]:
    nothing_yet = {"status": "in_progress", "completed_at": None, "error": None, "incomplete_details": None}
    started = {**response, **nothing_yet, "output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(response["output"]):
        yield {"type": "response.output_item.added", "output_index": index, "item": _announced(item)}
        yield from _item_events(item, {"item_id": item.get("id") or "", "output_index": index})
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield last_event(response)


def last_event(response: Mapping[str, Any]) -> Event:
    """Make the event that ends a response, still without its number."""
    return {"type": f"response.{_ENDS.get(response.get('status'), 'incomplete')}", "response": response}


def _announced(item: Mapping[str, Any]) -> Mapping[str, Any]:
    pending = _PENDING.get(item.get("type", ""))
    if pending is None:
        return item
    pending = {"status": "in_progress", **pending}
    return {name: copy(pending.get(name, value)) for name, value in item.items()}


def _item_events(item: Mapping[str, Any], where: Event) -> Iterator[Event]:
    if item.get("type") == "reasoning":
        for index, part in enumerate(item.get("summary") or ()):
            yield from _summary_events(part, {**where, "summary_index": index})
    if item.get("type") in ("message", "reasoning"):
        for index, part in enumerate(item.get("content") or ()):
            yield from _part_events(part, {**where, "content_index": index})
    else:
        yield from tool_events(item, where)


def _part_events(part: Mapping[str, Any], where: Event) -> Iterator[Event]:
    kind = part.get("type")
    member = _TEXTS.get(kind) if isinstance(kind, str) else None  # a part that an earlier version stored unread
    if member is None:
        yield {"type": "response.content_part.added", **where, "part": part}
    elif kind == "output_text":
        emptied = {**part, "text": "", "annotations": [], "logprobs": []}
        yield {"type": "response.content_part.added", **where, "part": emptied}
        yield from _text_events(part, where)
    else:
        yield {"type": "response.content_part.added", **where, "part": {**part, member: ""}}
        yield from delta_events(f"response.{kind}", member, part.get(member) or "", where)
    yield {"type": "response.content_part.done", **where, "part": part}


def _text_events(part: Mapping[str, Any], where: Event) -> Iterator[Event]:
    logprobs = part.get("logprobs") or []
    text = part.get("text") or ""
    for piece, own in deltas(text, logprobs):
        yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": own}
    for index, annotation in enumerate(part.get("annotations") or ()):
        added = {"annotation_index": index, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **where, **added}
    yield {"type": "response.output_text.done", **where, "text": text, "logprobs": logprobs}


def _summary_events(part: Mapping[str, Any], where: Event) -> Iterator[Event]:
    yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
    yield from delta_events("response.reasoning_summary_text", "text", part.get("text") or "", where)
    yield {"type": "response.reasoning_summary_part.done", **where, "part": part}
