"""What both functions check of a body, with pydantic's errors told in OpenAI's words.

Pydantic and the wire shapes are imported where a body is first read as one: who asks without a body does not wait for
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from chat_core.errors import InvalidRequest
from chat_core.keys import is_conversation_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel, ValidationError

ITEMS_LIMIT = 20

OWN_MEMBER = "omoide"
"""What an item has beside OpenAI's members when it is read; clients send it back with the item."""

_M = TypeVar("_M", bound="BaseModel")


def parse(model: type[_M], value: object, *, at: str = "") -> _M:
    """Read a value as a wire shape.

    Raises
    ------
    InvalidRequest
        With the path of the first member that is wrong as ``param``; the value itself is never quoted.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error, at) from None


def check_items(items: object, *, at: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Check a list of input items and give it back as it came, without what this service adds to an item it shows.

    Raises
    ------
    InvalidRequest
        If it is no list, empty, longer than ``limit``, or an item is not well formed.
    """
    from chat_core.api.shapes import KINDS, OtherItem

    if not isinstance(items, list):
        raise InvalidRequest("Items must be a list.", param=at, code="invalid_type")
    if not items:
        raise InvalidRequest("The list of items is empty.", param=at, code="empty_array")
    if limit is not None and len(items) > limit:
        message = f"At most {limit} items go in one call."
        raise InvalidRequest(message, param=at, code="array_above_max_length")
    for place, item in enumerate(items):
        path = f"{at}[{place}]"
        if not isinstance(item, dict):
            raise InvalidRequest("An item must be an object.", param=path, code="invalid_type")
        kind = item.get("type", "message")
        parse(KINDS.get(kind, OtherItem) if isinstance(kind, str) else OtherItem, item, at=path)
    return [{name: item[name] for name in item if name != OWN_MEMBER} if OWN_MEMBER in item else item for item in items]


def check_metadata(value: object, *, at: str = "metadata") -> dict[str, str]:
    """Check OpenAI's metadata: 16 pairs, names of 64 and texts of 512 characters; null is none.

    Raises
    ------
    InvalidRequest
        If it is not.
    """
    if value is None:
        return {}
    from pydantic import ValidationError

    from chat_core.api.shapes import METADATA

    try:
        return METADATA.validate_python(value)
    except ValidationError as error:
        raise invalid(error, at) from None


def check_conversation_id(value: object, *, at: str) -> str:
    """Check a conversation id.

    Raises
    ------
    InvalidRequest
        If it is not 1 to 128 of ``A-Z a-z 0-9 . _ : -``.
    """
    if not isinstance(value, str):
        raise InvalidRequest("A conversation id must be a text.", param=at, code="invalid_type")
    if not is_conversation_id(value):
        message = "A conversation id is 1 to 128 of A-Z a-z 0-9 . _ : - and neither . nor .. alone."
        raise InvalidRequest(message, param=at)
    return value


# pydantic's kinds of error → OpenAI's codes and our sentences, with the limit where there is one.
_CODES: Mapping[str, tuple[str, str]] = {
    "missing": ("missing_required_parameter", "This parameter is required."),
    "empty": ("empty_string", "A message needs content."),
    "string_too_short": ("empty_string", "This text may not be empty."),
    "string_too_long": ("string_above_max_length", "This text may have at most {max_length} characters."),
    "too_short": ("empty_array", "This list may not be empty."),
    "too_long": ("above_max_length", "This may have at most {max_length} entries."),
    "greater_than_equal": ("below_min_value", "This number must be at least {ge}."),
    "less_than_equal": ("above_max_value", "This number must be at most {le}."),
    "literal_error": ("invalid_value", "This must be one of {expected}."),
    "extra_forbidden": ("unknown_parameter", "There is no such parameter."),
    "finite_number": ("invalid_value", "This must be a finite number."),
}


def invalid(error: ValidationError, at: str) -> InvalidRequest:
    """Tell pydantic's first error as an `InvalidRequest`."""
    first = _most_telling(error)
    path = at
    for step in first["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in _UNION_STEPS and not step.startswith(_UNION_PREFIXES):
            path += f".{step}" if path else step
    code, sentence = _CODES.get(first["type"], ("invalid_type", "This has the wrong type."))
    sentence = sentence.format_map({"expected": "", "max_length": "", "ge": "", "le": "", **(first.get("ctx") or {})})
    return InvalidRequest(f"{path}: {sentence}" if path else sentence, param=path or None, code=code)


_UNION_STEPS = frozenset({"str", "int", "bool", "[key]"})
_UNION_PREFIXES = ("list[", "dict[", "constrained-", "function-", "model-")


def _most_telling(error: ValidationError) -> Any:
    """Of a union's errors the one that got furthest into the value: the member that was meant."""
    found = error.errors(include_url=False, include_input=False)
    return max(found, key=lambda one: (len(one["loc"]), one["type"] not in ("string_type", "list_type")))
