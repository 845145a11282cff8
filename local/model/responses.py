"""OpenAI's Responses API: from a request's body to a ``Response``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.model.answers import Reply, answer, limited
from local.model.compaction import unsealed
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
from local.model.errors import ApiError, bad_request, refusing
from local.model.log_probabilities import log_probabilities
from local.model.usage import responses_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What an answer says of each setting that the request left out.
_DEFAULTS: dict[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
_CALLS = {"function_call", "custom_tool_call"}
_RESULTS = {"function_call_output", "custom_tool_call_output"}


@refusing
def create(body: Mapping[str, Any], *, now: int, change: Callable[[Reply], Reply]) -> dict[str, Any]:
    """Answer a request.

    Parameters
    ----------
    body
        The request's JSON.
    now
        The time that the answer bears, in Unix seconds.
    change
        What becomes of the reply before it is sent.

    Raises
    ------
    ApiError
        The request is not one that OpenAI would answer.
    """
    prompt = _read(body)
    limit = read_limit(body, "max_output_tokens")
    reply = limited(change(answer(prompt)), limit, body["model"])
    request = fingerprint(body)
    status = "failed" if reply.failed else "incomplete" if reply.incomplete else "completed"
    return {
        "id": f"resp_{request[:40]}",
        "object": "response",
        "created_at": now,
        "completed_at": now if status == "completed" else None,
        "status": status,
        "error": {"code": "server_error", "message": "The model failed."} if reply.failed else None,
        "incomplete_details": {"reason": reply.incomplete} if reply.incomplete else None,
        "model": label(body),
        "output": [] if reply.failed else _output(reply, request, body),
        "usage": _usage(responses_input(body), reply.tokens(body["model"])),
        **_settings(body),
    }


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: default if body.get(name) is None else body[name] for name, default in _DEFAULTS.items()}
    asked_tier = body.get("service_tier")
    text, reasoning = body.get("text") or {}, body.get("reasoning") or {}
    return settings | {
        "reasoning": {"effort": None, "summary": None, **reasoning},
        "service_tier": "default" if asked_tier in {None, "auto"} else asked_tier,
        "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        **({"user": body["user"]} if body.get("user") else {}),
    }


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return dict(tool)
    return {"description": None, "parameters": None, "strict": True, **tool}


def _usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def _output(reply: Reply, request: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [
        {
            "id": f"fc_{request[:40]}{index:02d}",
            "type": "function_call",
            "status": "completed",
            "call_id": f"call_{request[:20]}{index:02d}",
            "name": call.name,
            "arguments": call.arguments,
        }
        for index, call in enumerate(reply.calls)
    ]
    content: list[dict[str, Any]] = []
    if reply.refusal is not None:
        content = [{"type": "refusal", "refusal": reply.refusal}]
    elif reply.text is not None:
        content = [_text_part(reply.text, body)]
    message = {"id": f"msg_{request[:40]}", "type": "message", "status": "completed", "role": "assistant"}
    items = [*([{**message, "content": content}] if content else []), *calls]
    if reply.incomplete and items:
        items[-1]["status"] = "incomplete"
    return items


def _text_part(text: str, body: Mapping[str, Any]) -> dict[str, Any]:
    asked = "message.output_text.logprobs" in (body.get("include") or ())
    logprobs = log_probabilities(text, body.get("top_logprobs") or 0) if asked else []
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def _read(body: Mapping[str, Any]) -> Prompt:
    read_model(body)
    _refuse_stored(body)
    asked = body.get("input")
    if not asked or not isinstance(asked, str | list):
        raise bad_request("'input' is missing or empty.", "input", "missing_required_parameter")
    instructions = [Message("system", body["instructions"])] if isinstance(body.get("instructions"), str) else []
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    messages = [message for index, item in enumerate(items) if (message := _message(item, f"input[{index}]"))]
    check_tool_pairs(messages, "input")
    functions, must_call = read_functions(body.get("tools") or (), body.get("tool_choice"))
    return Prompt(
        messages=(*instructions, *messages),
        functions=functions,
        must_call=must_call,
        parallel=body.get("parallel_tool_calls") is not False,
        output_format=_format((body.get("text") or {}).get("format") or {}),
        model=body["model"],
    )


def _refuse_stored(body: Mapping[str, Any]) -> None:
    """Refuse what only a provider that stores answers could serve, so that such a request is noticed."""
    for field in ("previous_response_id", "conversation", "prompt"):
        if body.get(field) is not None:
            raise ApiError(404, f"Nothing is stored here: '{field}' was not found.", param=field, code="not_found")


def _message(item: object, param: str) -> Message | None:
    if not isinstance(item, dict):
        raise bad_request("An input item is an object.", param, "invalid_type")
    kind = item.get("type", "message")
    if kind == "message":
        role = read_role(item, param)
        return Message(role, read_text(item.get("content"), f"{param}.content"))
    if kind in _CALLS:
        return Message("assistant", calls=((str(item.get("call_id")), str(item.get("name"))),))
    if kind in _RESULTS:
        return Message("tool", read_text(item.get("output"), f"{param}.output"), answers=str(item.get("call_id")))
    if kind == "compaction":
        said = unsealed(item.get("encrypted_content"))
        if said is None:
            raise bad_request("The encrypted content could not be read.", param, "invalid_encrypted_content")
        return Message("assistant", said)
    if kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content")):
        raise ApiError(404, "Nothing is stored here: the item was not found.", param=param, code="not_found")
    return None


def _format(asked: Mapping[str, Any]) -> OutputFormat:
    if asked.get("type") == "json_schema":
        if not isinstance(asked.get("schema"), dict) or not isinstance(asked.get("name"), str):
            raise bad_request("A 'json_schema' format has a name and a schema.", "text.format")
        return OutputFormat("json_schema", asked["schema"], asked["name"])
    return OutputFormat("json_object") if asked.get("type") == "json_object" else OutputFormat()
