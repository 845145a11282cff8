"""``POST /v1/responses`` as a wire shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chat_core.api.shapes import TOOLS_LIMIT, Metadata, Wire


class Tool(Wire):
    """A tool of any kind."""

    type: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)] | None = None
    parameters: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _functions_have_names(self) -> Tool:
        if self.type in ("function", "custom") and self.name is None:
            raise PydanticCustomError("missing", "A function needs its name.")
        return self


class StreamOptions(Wire):
    """How a stream is written. Obfuscation hides the lengths of the model's deltas; what is there needs none."""

    include_obfuscation: bool | None = None


class ResponsesRequest(Wire):
    """``POST /v1/responses``: the members with a rule of OpenAI's or ours; all others go through untouched."""

    model: Annotated[str, Field(min_length=1)] | None = None
    input: str | list[Any]
    conversation: str | dict[str, Any] | None = None
    memory: dict[str, Any] | None = None
    instructions: str | None = None
    metadata: Metadata | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    tools: Annotated[list[Tool], Field(max_length=TOOLS_LIMIT, fail_fast=True)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    include: Annotated[list[str], Field(fail_fast=True)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
