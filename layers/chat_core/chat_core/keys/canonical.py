"""The canonical form of a request: equal requests have the same bytes, different ones never do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from math import isfinite
from typing import Any, Literal

Endpoint = Literal["responses", "chat/completions", "embeddings"]

_Put = Callable[[str], None]

STREAM_MEMBERS = ("stream", "stream_options")
"""How an answer reaches the caller is neither the model's business nor the cache's: one request in either form."""

# What does not change the model's answer. A deny-list: a field that nobody here knows is always in the key.
_EXCLUDED = frozenset(
    {
        # transport
        "stream",
        "stream_options",
        "extra_headers",
        "extra_query",
        "timeout",
        # telemetry, retention and price
        "user",
        "safety_identifier",
        "metadata",
        "store",
        "service_tier",
        # the provider's own cache of prompts
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        # ours: what they bring about is in the request that goes upstream
        "conversation",
        "memory",
        "omoide",
    }
)
_CACHE_MARKERS = frozenset({"prompt_cache_breakpoint", "cache_control"})

# Defaults that OpenAI documents for every model. Those of sampling depend on the model, so they are not here.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "chat/completions": {"n": 1, "tool_choice": "auto", "response_format": {"type": "text"}},
    "responses": {"text": {"format": {"type": "text"}}},
}

_MESSAGES = {"chat/completions": "messages", "responses": "input"}
_PARTS = frozenset({"content", "output"})

# JSON Schema keywords whose members are names of the schema's author, each with a schema as its value.
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})

_CONSTANTS = {None: "n", True: "t", False: "f"}

_LARGE_TEXT = 16_384  # characters; from here on a text is hashed by itself, which saves copies of an image


class Uncacheable(ValueError):
    """A request has no key, so it goes to the model past the cache.

    Parameters
    ----------
    reason
        A short word for metrics: ``not_json``, ``not_finite``, ``key_not_text``, ``too_deep``, ``bad_base_url``.
    message
        A sentence; names types, never contents.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def canonical_request(endpoint: Endpoint, body: Mapping[str, Any]) -> bytes:
    """Write the effective request in its canonical form.

    Left out: transport and telemetry fields, fields of our own, nulls at the top level and in messages, documented
    defaults, and the provider's cache markers on content parts. ``extra_body`` is merged as OpenAI's SDK does it.

    Raises
    ------
    Uncacheable
        If the body is no JSON value.
    """
    effective = _effective(endpoint, body)
    field = _MESSAGES.get(endpoint)
    messages = effective.pop(field, None) if field else None
    parts: list[str] = []
    put = parts.append
    try:
        _object(effective, put)
        if type(messages) is list or type(messages) is tuple:
            put("[")
            for message in messages:
                _message(message, put)
            put("]")
        else:
            _value(messages, put)
    except RecursionError:
        raise Uncacheable("too_deep", "The request is nested too deeply.") from None
    return "".join(parts).encode("utf-8", "surrogatepass")


def canonical_value(value: Any) -> bytes:
    """Write any JSON value in the canonical form.

    The form is typed and prefix-free: texts carry their length, numbers their end, arrays and objects their closing
    bracket. ``1`` and ``1.0`` are one number, integers are exact, texts are not normalised, a tuple is an array.
    Objects are sorted by key, except the members of a JSON Schema's ``properties``: models write them in that order.

    Raises
    ------
    Uncacheable
        If it is no JSON value.
    """
    parts: list[str] = []
    try:
        _value(value, parts.append)
    except RecursionError:
        raise Uncacheable("too_deep", "The value is nested too deeply.") from None
    return "".join(parts).encode("utf-8", "surrogatepass")


def _effective(endpoint: Endpoint, body: Mapping[str, Any]) -> dict[str, Any]:
    extra = body.get("extra_body")
    if isinstance(extra, Mapping):
        body = {**{name: value for name, value in body.items() if name != "extra_body"}, **extra}
    effective = {name: value for name, value in body.items() if value is not None and name not in _EXCLUDED}
    for name, default in _DEFAULTS.get(endpoint, {}).items():
        if name in effective and effective[name] == default and effective[name] is not True:
            del effective[name]
    if endpoint == "chat/completions" and type(effective.get("stop")) is str:
        effective["stop"] = [effective["stop"]]
    return effective


def _message(message: Any, put: _Put) -> None:
    """Write a message or item: its nulls mean "absent", its content parts carry no cache markers."""
    if type(message) is not dict:
        _value(message, put)
        return
    size = len(message)
    if size == 2 or (size == 3 and message.get("type") == "message"):
        role, content = message.get("role"), message.get("content")
        if type(role) is str and type(content) is str and len(content) < _LARGE_TEXT:
            # most messages: what follows would write the same in twice the time
            kind = "" if size == 2 else "4:types7:message"
            put(f"{{7:contents{len(content)}:{content}4:roles{len(role)}:{role}{kind}}}")
            return
    message, names = _members(message)
    put("{")
    for name in names:
        member = message[name]
        if type(member) is str and len(member) < _LARGE_TEXT:
            put(f"{len(name)}:{name}s{len(member)}:{member}")
        elif member is not None:
            put(f"{len(name)}:{name}")
            if name in _PARTS and (type(member) is list or type(member) is tuple):
                _content(member, put)
            else:
                _value(member, put)
    put("}")


def _content(parts: list[Any] | tuple[Any, ...], put: _Put) -> None:
    """Write content parts without cache markers; a single part of text is the text itself."""
    bare = [part if type(part) is not dict or _CACHE_MARKERS.isdisjoint(part) else _unmarked(part) for part in parts]
    if len(bare) == 1 and type(bare[0]) is dict and len(bare[0]) == 2 and bare[0].get("type") == "text":
        text = bare[0].get("text")
        if type(text) is str:
            put(_text(text))
            return
    _value(bare, put)


def _unmarked(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in _CACHE_MARKERS}


def _value(value: Any, put: _Put) -> None:
    kind = type(value)
    if kind is str:
        put(_text(value))
    elif kind is dict:
        _object(value, put)
    elif kind is list or kind is tuple:
        put("[")
        for item in value:
            _value(item, put)
        put("]")
    elif kind is int:
        put(f"i{value:x};")  # hexadecimal: Python refuses to write very long integers in decimal
    elif value is None or kind is bool:
        put(_CONSTANTS[value])
    elif kind is float:
        put(_number(value))
    elif isinstance(value, Mapping):
        _object(dict(value), put)
    else:
        raise Uncacheable("not_json", f"A value of type {kind.__name__} is not JSON.")


def _object(value: dict[Any, Any], put: _Put) -> None:
    value, names = _members(value)
    put("{")
    for name in names:
        member = value[name]
        kind = type(member)
        if kind is str and len(member) < _LARGE_TEXT:
            put(f"{len(name)}:{name}s{len(member)}:{member}")
        else:
            put(f"{len(name)}:{name}")
            if kind is dict and name in _SCHEMAS_BY_NAME:
                _schemas(member, put, ordered=name == "properties")
            else:
                _value(member, put)
    put("}")


def _schemas(members: dict[Any, Any], put: _Put, *, ordered: bool) -> None:
    """Write schemas by name: a member that is itself called ``properties`` is no keyword.

    The order is kept, if it is to be, where there are schemas (objects or booleans); what holds none is an object
    like any other that happens to be called so.
    """
    kept = ordered and any(type(member) is dict or type(member) is bool for member in members.values())
    members, names = _members(members)
    put("(" if kept else "{")
    for name in members if kept else names:
        put(f"{len(name)}:{name}")
        _value(members[name], put)
    put(")" if kept else "}")


def _members(value: dict[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give an object and its names, sorted; integers (``logit_bias`` by token) become texts, as JSON writes them."""
    try:
        names = sorted(value)
    except TypeError:
        raise _key_not_text() from None
    if names and type(names[0]) is not str:  # only texts compare with texts, so the first speaks for all
        if any(type(name) is not int for name in names):
            raise _key_not_text()
        value = {str(name): member for name, member in value.items()}
        names = sorted(value)
    return value, names


def _text(value: str) -> str:
    size = len(value)
    if size < _LARGE_TEXT:
        return f"s{size}:{value}"
    return f"h{size}:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _number(value: float) -> str:
    if not isfinite(value):
        raise Uncacheable("not_finite", "JSON has no NaN and no infinity.")
    return f"i{int(value):x};" if value.is_integer() else f"d{value!r};"


def _key_not_text() -> Uncacheable:
    return Uncacheable("key_not_text", "An object's keys are texts.")
