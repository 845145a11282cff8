"""Reads what a function answered, as API Gateway's REST APIs do (Lambda proxy integration)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from local.messages import HttpResponse

# What Lambda takes from a function: 6 MB and a little for the envelope.
MAX_ANSWER_BYTES = 6 * 1024 * 1024 + 100
PRELUDE_END = bytes(8)
"""Stands between the prelude of a streamed answer and its body."""

_PRELUDE_MEMBERS = frozenset(("statusCode", "headers", "multiValueHeaders", "cookies"))
# The connection's own, which the server sets.
_FRAMING = frozenset(("connection", "content-length", "date", "keep-alive", "transfer-encoding"))
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


class MalformedAnswer(Exception):
    """The function's answer is not one of a Lambda proxy; API Gateway makes 502 of it. The message says why."""


def http_response(payload: bytes) -> HttpResponse:
    """Turn a function's answer, JSON, into the HTTP answer.

    Raises
    ------
    MalformedAnswer
        If it is not in the form of
        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html.
    """
    if len(payload) > MAX_ANSWER_BYTES:
        message = f"it has {len(payload)} bytes, {MAX_ANSWER_BYTES} are allowed"
        raise MalformedAnswer(message)
    answer = _object(payload)
    return HttpResponse(_status(answer.get("statusCode")), tuple(_headers(answer)), _body(answer))


def streamed_head(prelude: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Read what stands before a streamed body: the status and the headers.

    Raises
    ------
    MalformedAnswer
        If it is not in the form of
        https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html.
    """
    answer = _object(prelude)
    if not answer.keys() <= _PRELUDE_MEMBERS:
        raise MalformedAnswer("what stands before its body has members that do not belong there")
    return _status(answer.get("statusCode")), tuple(_headers(answer))


def _object(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except ValueError:
        raise MalformedAnswer("it is not JSON") from None
    if not isinstance(answer, dict):
        raise MalformedAnswer("it is not an object")
    return answer


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        status = 0
    if not 200 <= status <= 599:
        raise MalformedAnswer("its statusCode is no HTTP status")
    return status


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer("its body is not a string")
    try:
        return base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode("utf-8")
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedAnswer("its body cannot be decoded") from None


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Merge both kinds of headers: a value in both comes once, and JSON is the default content type."""
    several = _mapping(answer, "multiValueHeaders")
    if not all(isinstance(values, list) for values in several.values()):
        raise MalformedAnswer("its multiValueHeaders are not lists")
    pairs = [(name, _text(value)) for name, values in several.items() for value in values]
    known = {(name.lower(), value) for name, value in pairs}
    single = [(name, _text(value)) for name, value in _mapping(answer, "headers").items()]
    pairs += [(name, value) for name, value in single if (name.lower(), value) not in known]
    if not all(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) for name, value in pairs):
        raise MalformedAnswer("it has a header that HTTP does not allow")
    pairs = [(name, value) for name, value in pairs if name.lower() not in _FRAMING]
    if all(name.lower() != "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "application/json"))
    return pairs


def _mapping(answer: dict[str, Any], name: str) -> dict[str, Any]:
    value = answer.get(name) or {}
    if not isinstance(value, dict):
        message = f"its {name} are not an object"
        raise MalformedAnswer(message)
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedAnswer("a header's value is not a string")
