"""OpenAI's Chat Completions API: from a request's body to a completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.model.answers import Reply, answer, limited
from local.model.conversation import (
    Message,
    OutputFormat,
    Prompt,
    check_tool_pairs,
    fingerprint,
    label,
    read_functions,
    read_limit,
    read_model,
    read_role,
    read_text,
)
from local.model.errors import ApiError, above_limit, bad_request, refusing
from local.model.log_probabilities import log_probabilities
from local.model.usage import chat_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_CHOICES = 128


@refusing
def create(body: Mapping[str, Any], *, now: int, change: Callable[[Reply], Reply]) -> dict[str, Any]:
    """Answer a request; the parameters are those of :func:`local.model.responses.create`."""
    prompt = _read(body)
    limit = read_limit(body, "max_completion_tokens", "max_tokens")
    count = read_limit(body, "n") or 1
    if count > _MOST_CHOICES:
        raise above_limit("n", _MOST_CHOICES)
    reply = limited(change(answer(prompt)), limit, body["model"])
    if reply.failed:
        raise ApiError(500, "The model failed.")
    request = fingerprint(body)
    prompt_tokens, completion_tokens = chat_input(body), reply.tokens(body["model"]) * count
    return {
        "id": f"chatcmpl-{request[:29]}",
        "object": "chat.completion",
        "created": now,
        "model": label(body),
        "choices": [_choice(reply, index, request, body) for index in range(count)],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_offline_stand_in",
    }


def _choice(reply: Reply, index: int, request: str, body: Mapping[str, Any]) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{request[:20]}{index:03d}{number:02d}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for number, call in enumerate(reply.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": reply.refusal, "annotations": []}
    ends = {"max_output_tokens": "length", "content_filter": "content_filter"}
    reason = ends[reply.incomplete] if reply.incomplete else "tool_calls" if calls else "stop"
    return {
        "index": index,
        "message": {**message, "tool_calls": calls} if calls else message,
        "logprobs": _logprobs(reply.text, body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        "finish_reason": reason,
    }


def _logprobs(text: str | None, alternatives: int) -> dict[str, Any] | None:
    if text is None:
        return None
    return {"content": log_probabilities(text, alternatives), "refusal": None}


def _read(body: Mapping[str, Any]) -> Prompt:
    read_model(body)
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise bad_request("'messages' is missing or empty.", "messages", "missing_required_parameter")
    messages = tuple(_message(message, f"messages[{index}]") for index, message in enumerate(given))
    check_tool_pairs(messages, "messages")
    functions, must_call = read_functions(
        [_flat(tool) for tool in body.get("tools") or ()], _flat_choice(body.get("tool_choice"))
    )
    return Prompt(
        messages=messages,
        functions=functions,
        must_call=must_call,
        parallel=body.get("parallel_tool_calls") is not False,
        output_format=_format(body.get("response_format") or {}),
        model=body["model"],
    )


def _message(message: object, param: str) -> Message:
    if not isinstance(message, dict):
        raise bad_request("A message is an object.", param, "invalid_type")
    role = read_role(message, param)
    calls = tuple(_call(call, f"{param}.tool_calls") for call in message.get("tool_calls") or ())
    content = message.get("content")
    if content is None and role == "assistant":
        content = message.get("refusal") or ""
    return Message(role, read_text(content, f"{param}.content"), calls=calls, answers=message.get("tool_call_id"))


def _call(call: object, param: str) -> tuple[str, str]:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        raise bad_request("A tool call is an object with an id.", param, "invalid_type")
    return call["id"], str((call.get("function") or {}).get("name"))


def _flat(tool: object) -> object:
    """Return a tool, or a choice of one, in the form of the Responses API: what it wraps beside its type."""
    if not isinstance(tool, dict):
        return tool
    return {"type": tool.get("type"), **(tool.get(str(tool.get("type"))) or {})}


def _flat_choice(choice: object) -> object:
    flat = _flat(choice)
    if isinstance(flat, dict) and "tools" in flat:
        return {**flat, "tools": [_flat(tool) for tool in flat["tools"]]}
    return flat


def _format(asked: Mapping[str, Any]) -> OutputFormat:
    if asked.get("type") == "json_schema":
        schema = asked.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
            raise bad_request("A 'json_schema' format has a name.", "response_format")
        return OutputFormat("json_schema", schema.get("schema") or {}, schema["name"])
    return OutputFormat("json_object") if asked.get("type") == "json_object" else OutputFormat()
