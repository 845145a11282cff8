"""The events of a streamed answer made whole: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.model.whole_completion import FINISH_REASONS
from chat_core.model.whole_items import NoAnswer, text_of, time_of, whole_item, whole_part
from chat_core.model.whole_response import with_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.model.whole_items import Asked

_BEGUN = frozenset({"response.created", "response.queued", "response.in_progress"})
_NOT_YET = {"status": "in_progress", "completed_at": None, "error": None, "incomplete_details": None, "usage": None}
_WITH_LOGPROBS = frozenset({"response.output_text.delta", "response.output_text.done"})
_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("annotation", "item", "part", "response"), dict),
    **dict.fromkeys(("annotation_index", "content_index", "output_index", "summary_index"), int),
    **dict.fromkeys(("arguments", "code", "delta", "input", "item_id", "name", "refusal", "text"), str),
    "logprobs": list,
}


def whole_response_event(event: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Make an event of a streamed response whole: its frame and its items as those of the answer will be.

    Raises
    ------
    NoAnswer
        If it is no event of OpenAI's.
    """
    kind = event.get("type")
    if not isinstance(kind, str):
        raise NoAnswer
    for name, expected in _KINDS.items():
        value = event.get(name)
        if name in event and (not isinstance(value, expected) or isinstance(value, bool)):
            raise NoAnswer
    if kind in _BEGUN:
        frame = {**_NOT_YET, **event.get("response", {}), "output": []}
        return {**event, "response": with_settings(frame, asked)}
    if kind in _WITH_LOGPROBS:
        event = {"logprobs": [], **event}
    if isinstance(event.get("part", {}).get("type"), str):
        event = {**event, "part": whole_part(event["part"])}
    return {**event, "item": whole_item(event["item"])} if "item" in event else dict(event)


def whole_chunk(chunk: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Make a chunk of a streamed chat completion whole.

    Raises
    ------
    NoAnswer
        If it is none.
    """
    choices, model = chunk.get("choices"), chunk.get("model")
    if not isinstance(choices, list):
        raise NoAnswer
    return {
        **chunk,
        "id": text_of(chunk, "id", default=asked.id),
        "object": "chat.completion.chunk",
        "created": time_of(chunk.get("created"), asked.now),
        "model": model if isinstance(model, str) and model else asked.body["model"],
        "choices": [_whole_choice(choice, place) for place, choice in enumerate(choices)],
    }


def _whole_choice(choice: object, place: int) -> dict[str, Any]:
    if not isinstance(choice, dict):
        raise NoAnswer
    delta, index, reason = choice.get("delta") or {}, choice.get("index"), choice.get("finish_reason")
    if not isinstance(delta, dict) or not isinstance(choice.get("logprobs"), dict | None):
        raise NoAnswer
    if reason is not None and (not isinstance(reason, str) or reason not in FINISH_REASONS):
        reason = "stop"
    for name in ("content", "refusal"):
        text_of(delta, name)
    calls = delta.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(map(_is_call, calls))):
        raise NoAnswer
    index = index if isinstance(index, int) and not isinstance(index, bool) else place
    return {**choice, "index": index, "delta": delta, "finish_reason": reason}


def _is_call(call: object) -> bool:
    """Whether it is a part of a tool call that can be joined to those before and behind."""
    if not isinstance(call, dict) or not isinstance(call.get("index"), int):
        return False
    for kind, text in (("function", "arguments"), ("custom", "input")):
        called = call.get(kind) or {}
        if not isinstance(called, dict) or not isinstance(called.get(text), str | None):
            return False
    return True
