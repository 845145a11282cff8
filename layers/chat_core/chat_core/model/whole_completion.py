"""A chat completion made whole: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.model.whole_items import NoAnswer, arguments_of, count_of, log_probabilities_of, text_of, time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.model.whole_items import Asked

FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
_COUNTS = ("prompt_tokens", "completion_tokens")
_CALL_TEXTS = {"function": "arguments", "custom": "input"}
# Members that OpenAI leaves out rather than sets to null.
_NEVER_NULL = ("system_fingerprint", "metadata")


def whole_completion(answer: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Make a chat completion whole.

    Raises
    ------
    NoAnswer
        If it is none.
    """
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise NoAnswer
    model = answer.get("model")
    return {
        **{name: value for name, value in answer.items() if value is not None or name not in _NEVER_NULL},
        "id": text_of(answer, "id", default=asked.id),
        "object": "chat.completion",
        "created": time_of(answer.get("created"), asked.now),
        "model": model if isinstance(model, str) and model else asked.body["model"],
        "choices": [_whole_choice(choice, place) for place, choice in enumerate(choices)],
        "usage": _usage(answer.get("usage")),
    }


def _whole_choice(choice: object, place: int) -> dict[str, Any]:
    if not isinstance(choice, dict):
        raise NoAnswer
    index, reason = choice.get("index"), choice.get("finish_reason")
    message = _whole_message(choice.get("message"))
    if not isinstance(reason, str) or reason not in FINISH_REASONS:
        reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        **choice,
        "index": index if isinstance(index, int) and not isinstance(index, bool) else place,
        "message": message,
        "finish_reason": reason,
        "logprobs": _log_probabilities(choice.get("logprobs")),
    }


def _log_probabilities(given: object) -> dict[str, Any] | None:
    if not isinstance(given, dict):
        return None
    return {**given, **{name: log_probabilities_of(given, name) or None for name in ("content", "refusal")}}


def _whole_message(message: object) -> dict[str, Any]:
    if not isinstance(message, dict) or not isinstance(message.get("role", ""), str | None):
        raise NoAnswer
    whole = {**message, "role": "assistant", "content": _text(message.get("content"))}
    whole["refusal"] = text_of(message, "refusal") or None
    if not isinstance(message.get("annotations"), list):
        whole.pop("annotations", None)
    if message.get("tool_calls") is None:
        whole.pop("tool_calls", None)
    elif isinstance(message["tool_calls"], list):
        whole["tool_calls"] = [_whole_call(call) for call in message["tool_calls"]]
    else:
        raise NoAnswer
    called = whole.pop("function_call", None)
    return {**whole, "function_call": _whole_function(called, "arguments")} if called is not None else whole


def _text(content: object) -> str | None:
    """Give a message's text; some providers write it as parts."""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(text_of(part, "text") for part in content)
    if content is not None and not isinstance(content, str):
        raise NoAnswer
    return content


def _whole_call(call: object) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise NoAnswer
    kind = text_of(call, "type", default="function")
    whole = {**call, "id": text_of(call, "id", default=f"call_{uuid4().hex}"), "type": kind}
    if kind in _CALL_TEXTS:
        whole[kind] = _whole_function(call.get(kind), _CALL_TEXTS[kind])
    return whole


def _whole_function(function: object, text: str) -> dict[str, Any]:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise NoAnswer
    return {**function, text: arguments_of(function.get(text))}


def _usage(usage: object) -> dict[str, Any]:
    given = usage if isinstance(usage, dict) else {}
    counts = {name: count_of(given, name) for name in _COUNTS}
    details = {name: value for name, value in given.items() if not name.endswith("_details") or isinstance(value, dict)}
    return {**details, **counts, "total_tokens": count_of(given, "total_tokens") or sum(counts.values())}
