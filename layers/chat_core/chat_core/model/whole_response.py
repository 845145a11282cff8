"""A response made whole: pure."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from chat_core.errors import UpstreamError
from chat_core.model.whole_items import NoAnswer, count_of, text_of, time_of, whole_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.model.whole_items import Asked

_FAILED = frozenset({"failed", "cancelled", "queued", "in_progress"})
_NUMBER = (int, float)

# Settings that a response repeats: their kinds, and OpenAI's default where neither the provider nor the request says.
_SETTINGS: Mapping[str, tuple[tuple[type, ...], Any]] = {
    "background": ((bool,), False),
    "frequency_penalty": (_NUMBER, 0.0),
    "instructions": ((str, list), None),
    "max_output_tokens": ((int,), None),
    "max_tool_calls": ((int,), None),
    "metadata": ((dict,), {}),
    "parallel_tool_calls": ((bool,), True),
    "presence_penalty": (_NUMBER, 0.0),
    "previous_response_id": ((str,), None),
    "prompt_cache_key": ((str,), None),
    "reasoning": ((dict,), {"effort": None, "summary": None}),
    "safety_identifier": ((str,), None),
    "service_tier": ((str,), "default"),
    "store": ((bool,), False),
    "temperature": (_NUMBER, 1.0),
    "text": ((dict,), {"format": {"type": "text"}}),
    "tool_choice": ((str, dict), "auto"),
    "tools": ((list,), []),
    "top_logprobs": ((int,), 0),
    "top_p": (_NUMBER, 1.0),
    "truncation": ((str,), "disabled"),
}
_REASONS = frozenset({"max_output_tokens", "content_filter"})


def whole_response(answer: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Make a response whole.

    Raises
    ------
    NoAnswer
        If it is no response.
    UpstreamError
        If it says that it failed.
    """
    output = answer.get("output")
    if not isinstance(output, list):
        raise NoAnswer
    if _named(answer.get("status"), _FAILED) or answer.get("error"):
        raise UpstreamError("The model's provider failed to make a response.")
    incomplete = _incomplete(answer)
    created_at = time_of(answer.get("created_at"), asked.now)
    return {
        **with_settings(answer, asked),
        "status": "incomplete" if incomplete else "completed",
        "completed_at": None if incomplete else time_of(answer.get("completed_at"), max(asked.now, created_at)),
        "error": None,
        "incomplete_details": incomplete,
        "output": [whole_item(item) for item in output],
        "usage": whole_usage(answer.get("usage")),
    }


def with_settings(answer: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Make the frame of a response whole: its id, model and time, and the settings that it repeats."""
    body, model = asked.body, answer.get("model")
    settings = {name: _setting(name, answer, body) for name in _SETTINGS}
    settings["tools"] = _tools(settings["tools"], body)
    for name in ("reasoning", "text"):
        settings[name] = {**_SETTINGS[name][1], **settings[name]}
    if settings["service_tier"] == "auto":
        settings["service_tier"] = "default"
    return {
        **{name: value for name, value in answer.items() if value is not None or name != "user"},
        "id": text_of(answer, "id", default=asked.id),
        "object": "response",
        "created_at": time_of(answer.get("created_at"), asked.now),
        "model": model if isinstance(model, str) and model else body["model"],
        **settings,
    }


def _setting(name: str, answer: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
    kinds, default = _SETTINGS[name]
    for holder in (answer, body):
        value = holder.get(name)
        if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds):
            return value
    return deepcopy(default)


def _tools(tools: list[Any], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not all(isinstance(tool, dict) and isinstance(tool.get("type"), str) for tool in tools):
        tools = body.get("tools") or []
    defaults = {"description": None, "parameters": None, "strict": True}
    return [{**defaults, **tool} if tool["type"] == "function" else tool for tool in tools]


def _incomplete(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    details = answer.get("incomplete_details")
    if answer.get("status") != "incomplete" and not isinstance(details, dict):
        return None
    details = details if isinstance(details, dict) else {}
    return {**details, "reason": _named(details.get("reason"), _REASONS) or "max_output_tokens"}


def _named(value: object, names: frozenset[str]) -> str:
    return value if isinstance(value, str) and value in names else ""


def whole_usage(usage: object) -> dict[str, Any]:
    """Give the usage with every count that OpenAI has, 0 where the provider does not tell."""
    given = usage if isinstance(usage, dict) else {}
    sent = count_of(given, "input_tokens", "prompt_tokens")
    made = count_of(given, "output_tokens", "completion_tokens")
    return {
        **given,
        "input_tokens": sent,
        "input_tokens_details": _details(given, "input_tokens_details", ("cached_tokens", "cache_write_tokens")),
        "output_tokens": made,
        "output_tokens_details": _details(given, "output_tokens_details", ("reasoning_tokens",)),
        "total_tokens": count_of(given, "total_tokens") or sent + made,
    }


def _details(usage: Mapping[str, Any], name: str, counts: tuple[str, ...]) -> dict[str, Any]:
    given = usage.get(name)
    details = given if isinstance(given, dict) else {}
    return {**details, **{count: count_of(details, count) for count in counts}}
