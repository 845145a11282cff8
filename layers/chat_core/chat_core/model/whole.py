"""A provider's answer is checked and made whole once, before anything of it is told, cached or committed.

Whatever comes behind can rely on it: texts are Unicode, numbers are finite, items have a type, a role and a content of
known shape, and every member that OpenAI's schema and that of Open Responses require is there, from the provider, the
request, or OpenAI's defaults. An answer that cannot be mended is none.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.errors import UpstreamError
from chat_core.messages import mend
from chat_core.model.whole_completion import whole_completion
from chat_core.model.whole_event import whole_chunk, whole_response_event
from chat_core.model.whole_items import Asked, NoAnswer, count_of
from chat_core.model.whole_response import whole_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.keys import Endpoint

_NONE = "The model's provider answered what is none of its answers."
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
MOST_LEVELS = 100
"""How deep an answer may be nested: whoever walks through it later never runs out of stack."""


def asked_of(endpoint: Endpoint, body: Mapping[str, Any], *, now: int) -> Asked:
    """Say what an answer is made whole from.

    Parameters
    ----------
    body
        The request.
    now
        Seconds since the epoch.
    """
    prefix = "chatcmpl-" if endpoint == "chat/completions" else "resp_"
    return Asked(body, now, f"{prefix}{uuid4().hex}")


def whole_answer(endpoint: Endpoint, answer: object, asked: Asked) -> dict[str, Any]:
    """Check an answer and make it whole.

    Parameters
    ----------
    answer
        What the provider's JSON says.
    asked
        What the request says.

    Raises
    ------
    UpstreamError
        If it is no answer to such a request and cannot be made one.
    """
    try:
        return _whole(endpoint, answer, asked)
    except NoAnswer:
        raise UpstreamError(_NONE) from None


def _whole(endpoint: Endpoint, answer: object, asked: Asked) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise NoAnswer
    if endpoint == "embeddings":
        return _whole_embeddings(answer, asked.body)
    found = mended(answer)
    return whole_response(found, asked) if endpoint == "responses" else whole_completion(found, asked)


def whole_event(endpoint: Endpoint, event: object, asked: Asked) -> dict[str, Any]:
    """Check an event of a streamed answer and make it whole, as its answer will be.

    Raises
    ------
    UpstreamError
        As `whole_answer`.
    """
    try:
        if isinstance(event, dict):
            make = whole_response_event if endpoint == "responses" else whole_chunk
            return make(mended(event), asked)
    except NoAnswer:
        pass
    raise UpstreamError(_NONE)


def mended(value: Any) -> Any:
    """Make every text Unicode.

    Raises
    ------
    NoAnswer
        If the value is what JSON cannot say, or nested too deeply.
    """
    try:
        text = _write(value)
    except (ValueError, RecursionError):
        raise NoAnswer from None
    if text.count("[") + text.count("{") > MOST_LEVELS:
        _check_levels(value, MOST_LEVELS)
    try:
        text.encode()
    except UnicodeEncodeError:
        return mend(value)
    return value


def _check_levels(value: object, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise NoAnswer
    for member in value.values() if isinstance(value, dict) else value:
        _check_levels(member, levels - 1)


def _whole_embeddings(answer: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Make a list of embeddings whole; their numbers are looked at as a whole, since there may be millions."""
    data = answer.get("data")
    if not isinstance(data, list):
        raise NoAnswer
    frame = mended({name: value for name, value in answer.items() if name != "data"})
    usage = frame["usage"] if isinstance(frame.get("usage"), dict) else {}
    prompt = count_of(usage, "prompt_tokens", "total_tokens")
    model = frame.get("model")
    return {
        **frame,
        "object": "list",
        "data": [_whole_embedding(one, place) for place, one in enumerate(data)],
        "model": model if isinstance(model, str) and model else body["model"],
        "usage": {**usage, "prompt_tokens": prompt, "total_tokens": count_of(usage, "total_tokens") or prompt},
    }


def _whole_embedding(one: object, place: int) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise NoAnswer
    numbers, index = one.get("embedding"), one.get("index")
    try:
        known = (isinstance(numbers, str) and numbers.isascii()) or isfinite(sum(numbers))  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        known = False
    if not numbers or not known:
        raise NoAnswer
    place = index if isinstance(index, int) and not isinstance(index, bool) else place
    return {"object": "embedding", "index": place, "embedding": numbers}
