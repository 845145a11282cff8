"""Wire shapes that both functions read, with pydantic's errors told in OpenAI's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from chat_core.errors import InvalidRequest
from chat_core.keys import is_conversation_id

if TYPE_CHECKING:
    from collections.abc import Mapping

ITEMS_LIMIT = 20
METADATA_PAIRS = 16
TOOLS_LIMIT = 128
"""OpenAI's."""

OWN_MEMBER = "omoide"
"""What an item has beside OpenAI's members when it is read; clients send it back with the item."""


class Wire(BaseModel):
    """A JSON object: members that it does not name go through as they are, types are not bent to fit.

    Every list and object in it says ``fail_fast``: a million wrong elements make one error, not a million.
    Its validator is built when it is first asked for: an environment serves few of the routes.
    """

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, defer_build=True)


Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=METADATA_PAIRS, fail_fast=True),
]


class Part(Wire):
    """One part of a content."""

    type: str
    text: str | None = None

    @model_validator(mode="after")
    def _text_parts_have_text(self) -> Part:
        if self.type in ("input_text", "output_text", "text") and self.text is None:
            raise PydanticCustomError("missing", "A text part needs its text.")
        return self


Parts = Annotated[list[Part], Field(min_length=1, fail_fast=True)]


class MessageItem(Wire):
    """A message as input: OpenAI's ``EasyInputMessage`` and its longer forms."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Parts

    @model_validator(mode="after")
    def _says_something(self) -> MessageItem:
        if self.content == "" and self.role != "assistant":
            raise PydanticCustomError("empty", "A message needs content.")
        return self


class FunctionCallItem(Wire):
    """A call of a function, echoed by the caller."""

    type: Literal["function_call"]
    call_id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    arguments: str


class ToolOutputItem(Wire):
    """The result of a call."""

    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: Annotated[str, Field(min_length=1)]
    output: str | Annotated[list[Part], Field(fail_fast=True)]


class OtherItem(Wire):
    """An item of any other kind, passed on as it is."""

    type: Annotated[str, Field(min_length=1)]


_KINDS: Mapping[str, type[Wire]] = {
    "message": MessageItem,
    "function_call": FunctionCallItem,
    "function_call_output": ToolOutputItem,
    "custom_tool_call_output": ToolOutputItem,
}
_M = TypeVar("_M", bound=BaseModel)


def parse(model: type[_M], value: object, *, at: str = "") -> _M:
    """Read a value as a wire shape.

    Raises
    ------
    InvalidRequest
        With the path of the first member that is wrong as ``param``; the value itself is never quoted.
    """
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
        parse(_KINDS.get(kind, OtherItem) if isinstance(kind, str) else OtherItem, item, at=path)
    return [{name: item[name] for name in item if name != OWN_MEMBER} if OWN_MEMBER in item else item for item in items]


_METADATA: TypeAdapter[dict[str, str]] = TypeAdapter(Metadata, config=ConfigDict(strict=True, defer_build=True))


def check_metadata(value: object, *, at: str = "metadata") -> dict[str, str]:
    """Check OpenAI's metadata: 16 pairs, names of 64 and texts of 512 characters; null is none.

    Raises
    ------
    InvalidRequest
        If it is not.
    """
    try:
        return _METADATA.validate_python(value) if value is not None else {}
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
