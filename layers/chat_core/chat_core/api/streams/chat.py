"""The chunks of a chat completion: the sequence in which OpenAI's Chat Completions API streams it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.api.streams.deltas import deltas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Chunk = dict[str, Any]

_FRAME = ("id", "created", "model", "service_tier", "system_fingerprint")
_TEXTS = ("content", "refusal")
# Of each kind of tool call: the member that comes in deltas.
_INPUTS = {"function": "arguments", "custom": "input"}


def completion_chunks(completion: Mapping[str, Any], *, include_usage: bool) -> Iterator[Chunk]:
    """Yield every chunk of a finished chat completion, one choice after the other.

    Parameters
    ----------
    completion
        OpenAI's chat completion object. Members that a chunk has no place for come with the first one.
    include_usage
        Whether a chunk with the usage and no choices comes last (``stream_options``).
    """
    frame = {name: completion[name] for name in _FRAME if completion.get(name) is not None}
    frame["object"] = "chat.completion.chunk"
    first = {name: value for name, value in completion.items() if name not in {*_FRAME, "object", "choices", "usage"}}
    if include_usage:
        frame["usage"] = None
    for choice in completion["choices"]:
        for piece in _choice_pieces(choice):
            yield {**frame, **first, "choices": [{"index": choice["index"], "finish_reason": None, **piece}]}
            first = {}
    if include_usage:
        yield {**frame, **first, "choices": [], "usage": completion.get("usage")}


def _choice_pieces(choice: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what each chunk says of one choice."""
    message = choice["message"]
    logprobs = choice.get("logprobs")
    yield {"delta": _opening(message), **({} if logprobs is None else _logprobs())}
    for name in _TEXTS:
        if isinstance(message.get(name), str):
            for text, own in deltas(message[name], (logprobs or {}).get(name) or ()):
                yield {"delta": {name: text}, **(_logprobs(**{name: own}) if own else {})}
    for index, call in enumerate(message.get("tool_calls") or ()):
        for called in _call_pieces(call):
            yield {"delta": {"tool_calls": [{**called, "index": index}]}}
    rest = {name: value for name, value in choice.items() if name not in {"message", "logprobs"}}
    yield {**rest, "delta": {}}


def _opening(message: Mapping[str, Any]) -> dict[str, Any]:
    """Make the first delta: the role, and each member that comes whole."""
    whole = {name: value for name, value in message.items() if name != "tool_calls" and value}
    pending = {name: "" if isinstance(message.get(name), str) else message.get(name) for name in _TEXTS}
    return {"role": "assistant", **whole, **pending}


def _logprobs(**own: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"logprobs": {"content": [], "refusal": [], **own}}


def _call_pieces(call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind = call.get("type", "function")
    member = _INPUTS.get(kind)
    called = call.get(kind)
    if member is None or not isinstance(called, dict):
        yield dict(call)
        return
    yield {**call, kind: {**called, member: ""}}
    for text, _ in deltas(called.get(member) or ""):
        yield {kind: {member: text}}
