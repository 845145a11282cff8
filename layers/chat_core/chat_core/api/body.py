"""What a request's body says: JSON as RFC 8259 has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Request

from chat_core.errors import InvalidRequest
from chat_core.keys import STREAM_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping


def json_body(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object.

    Raises
    ------
    InvalidRequest
        If it is not UTF-8, no JSON (RFC 8259: so no NaN), no object, or holds half of a surrogate pair.
    """
    event = request.resolved_event.raw_event
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text, validate=True).decode()
        text.encode()
    except (binascii.Error, UnicodeError):
        raise InvalidRequest("The body is not UTF-8.", code="invalid_encoding") from None
    body = parse_json(text)
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    return body


def json_body_or_empty(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; no body is an empty one."""
    return json_body(request) if request.resolved_event.raw_event.get("body") else {}


def parse_json(text: str) -> Any:
    """Parse JSON as RFC 8259 has it.

    Raises
    ------
    InvalidRequest
        If it is no JSON, holds a number that no double can, or text that is not Unicode.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from None
    if "\\u" in text and (path := _surrogate(value, "")) is not None:
        raise InvalidRequest(
            "A text holds half of a surrogate pair, which is not Unicode.", param=path or None, code="invalid_encoding"
        )
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _surrogate(value: object, path: str) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() or _encodable(value) else path
    if isinstance(value, dict):
        children = [(f"{path}.{name}" if path else name, (name, child)) for name, child in value.items()]
        for inner, (name, child) in children:
            if not _encodable(name):
                return path
            if (found := _surrogate(child, inner)) is not None:
                return found
    elif isinstance(value, list):
        for place, child in enumerate(value):
            if (found := _surrogate(child, f"{path}[{place}]")) is not None:
                return found
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def fingerprint(body: Mapping[str, Any]) -> str:
    """Tell a request's body apart from every other: SHA-256 of its JSON with sorted names, hex.

    Whether it is answered as a stream is left out: that is the same answer in another form.
    """
    asked = {name: value for name, value in body.items() if name not in STREAM_MEMBERS}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
