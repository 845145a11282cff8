"""Wire shapes that both functions read. Pydantic is loaded with them: by the first body that is read as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA_PAIRS = 16
TOOLS_LIMIT = 128
"""OpenAI's."""


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


KINDS: Mapping[str, type[Wire]] = {
    "message": MessageItem,
    "function_call": FunctionCallItem,
    "function_call_output": ToolOutputItem,
    "custom_tool_call_output": ToolOutputItem,
}
"""Of input items, by their ``type``; others are an `OtherItem`."""

METADATA: TypeAdapter[dict[str, str]] = TypeAdapter(Metadata, config=ConfigDict(strict=True, defer_build=True))
