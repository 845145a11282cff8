"""What a request's body says: JSON as RFC 8259 has it."""

# Annotations are no strings here (no `from __future__ import annotations`): Powertools reads them at each request.

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Request

from chat_core.api.headers import header
from chat_core.errors import InvalidRequest, UnsupportedMediaType
from chat_core.keys import STREAM_MEMBERS

DEPTH_LIMIT = 100
"""Levels of lists and objects in a body: far more than any schema has, far fewer than Python's frames."""

_DOUBLE_DIGITS = 308
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{_DOUBLE_DIGITS + 1}}}")


def json_body(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object, whatever it is declared as: curl and others call every body a form by themselves.

    Raises
    ------
    InvalidRequest
        If it is not UTF-8, no JSON (RFC 8259: so no NaN), no object, or holds half of a surrogate pair.
    UnsupportedMediaType
        If it is no JSON and was not declared as such.
    """
    event = request.resolved_event.raw_event
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text, validate=True).decode()
        text.encode()
    except ValueError:  # of base64, or of UTF-8
        raise InvalidRequest("The body is not UTF-8.", code="invalid_encoding") from None
    try:
        body = parse_json(text)
    except InvalidRequest as error:
        declared = header(request, "content-type")
        if error.param is None and declared and "json" not in declared.lower():
            raise UnsupportedMediaType("Send the body as JSON, with Content-Type: application/json.") from None
        raise
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    return body


def json_body_or_empty(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; no body is an empty one."""
    return json_body(request) if request.resolved_event.raw_event.get("body") else {}


def parse_json(text: str) -> Any:
    """Parse JSON as RFC 8259 has it, nested to a depth that everything behind can walk.

    Raises
    ------
    InvalidRequest
        If it is no JSON, is nested too deep, holds a number that no double can, or text that is not Unicode; with the
        parameter that is wrong, where it is JSON.
    """
    numbers = _Numbers()
    # A function of Python's for every whole number is dear, where there are a million.
    whole = numbers.whole if _LONG_NUMBER.search(text) else None
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=numbers.real, parse_int=whole)
    except (ValueError, RecursionError):
        # How deep the parser itself goes depends on the Python.
        _check_depth(text)
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from None
    if text.count("[") + text.count("{") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
        _check_depth(text)
    if numbers.too_large and (path := _path_to(value, _is_infinite)) is not None:
        raise InvalidRequest("This number is larger than any that a double holds.", param=path or None)
    if "\\u" in text and (path := _path_to(value, _is_broken)) is not None:
        raise InvalidRequest(
            "A text holds half of a surrogate pair, which is not Unicode.", param=path or None, code="invalid_encoding"
        )
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


class _Numbers:
    """Reads numbers; one that no double holds is infinite, and noted."""

    def __init__(self) -> None:
        self.too_large = False

    def real(self, text: str) -> float:
        number = float(text)
        self.too_large = self.too_large or math.isinf(number)
        return number

    def whole(self, text: str) -> int | float:
        # Python reads no more digits than 4,300.
        number = self.real(text) if len(text) > _DOUBLE_DIGITS else 0.0
        return number if math.isinf(number) else int(text)


def _depth(value: object) -> int:
    """Tell how many levels of lists and objects a value has; the first beyond the limit is the last counted."""
    depth = 0
    level = [value] if isinstance(value, dict | list) else []
    while level and depth <= DEPTH_LIMIT:
        depth += 1
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, dict | list)]
    return depth


def _children(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


_NAMELESS = '[""]'
"""How the member whose name is the empty text is told: no path is as good as none."""

_STRUCTURE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def _check_depth(text: str) -> None:
    """Refuse what opens more lists and objects than the limit, whether or not it is JSON otherwise.

    Raises
    ------
    InvalidRequest
        With the body's member that is nested too deep.
    """
    depth = 0
    member = ""
    for found in _STRUCTURE.finditer(text):
        piece = found[0]
        if piece in "[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                message = f"This is nested too deep: lists and objects go {DEPTH_LIMIT} levels down."
                raise InvalidRequest(message, param=member or None, code="invalid_json")
        elif piece in "]}":
            depth -= 1
        elif depth == 1:
            member = piece.strip('"') or _NAMELESS


def _path_to(value: object, is_wrong: Callable[[object], bool], path: str = "") -> str | None:
    """Find the first thing that is wrong: its path, or its object's where a name is wrong; None if nothing is."""
    if isinstance(value, dict):
        for name, child in value.items():
            if is_wrong(name):
                return path
            if (found := _path_to(child, is_wrong, f"{path}.{name}" if path else name or _NAMELESS)) is not None:
                return found
    elif isinstance(value, list):
        for place, child in enumerate(value):
            if (found := _path_to(child, is_wrong, f"{path}[{place}]")) is not None:
                return found
    return path if is_wrong(value) else None


def _is_infinite(value: object) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _is_broken(value: object) -> bool:
    if not isinstance(value, str) or value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def fingerprint(body: Mapping[str, Any]) -> str:
    """Tell a request's body apart from every other: SHA-256 of its JSON with sorted names, hex.

    Whether it is answered as a stream is left out: that is the same answer in another form.
    """
    asked = {name: value for name, value in body.items() if name not in STREAM_MEMBERS}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
