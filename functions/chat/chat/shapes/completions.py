"""``POST /v1/chat/completions`` as a wire shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chat_core.api.shapes import TOOLS_LIMIT, Metadata, Parts, Wire

STOPS_LIMIT = 4
"""OpenAI's."""


class CalledFunction(Wire):
    """A function by its name, and what it is called with."""

    name: Annotated[str, Field(min_length=1)]
    arguments: str


class CalledTool(Wire):
    """A custom tool by its name, and what it is called with."""

    name: Annotated[str, Field(min_length=1)]
    input: str


class ToolCall(Wire):
    """A call of a tool, echoed by the caller."""

    id: Annotated[str, Field(min_length=1)]
    type: Annotated[str, Field(min_length=1)]
    function: CalledFunction | None = None
    custom: CalledTool | None = None

    @model_validator(mode="after")
    def _calls_something(self) -> ToolCall:
        if self.type in ("function", "custom") and getattr(self, self.type) is None:
            raise PydanticCustomError("missing", "A call needs what it calls.")
        return self


class ChatMessage(Wire):
    """One message."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | Parts | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=TOOLS_LIMIT, fail_fast=True)] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ChatMessage:
        if self.content is None and self.role not in ("assistant", "function"):
            raise PydanticCustomError("empty", "A message needs content.")
        if self.role == "tool" and not self.tool_call_id:
            raise PydanticCustomError("missing", "A tool message needs the id of its call.")
        return self


class Tool(Wire):
    """A tool of any kind: its own members stand under its type's name."""

    type: Annotated[str, Field(min_length=1)]
    function: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _functions_have_names(self) -> Tool:
        if self.type == "function" and not (self.function and isinstance(self.function.get("name"), str)):
            raise PydanticCustomError("missing", "A function needs its name.")
        return self


class CompletionsRequest(Wire):
    """The members with a rule of OpenAI's or ours; all others go through untouched."""

    model: Annotated[str, Field(min_length=1)] | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, fail_fast=True)]
    metadata: Metadata | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stop: str | Annotated[list[str], Field(min_length=1, max_length=STOPS_LIMIT, fail_fast=True)] | None = None
    seed: int | None = None
    logit_bias: Annotated[dict[str, float], Field(fail_fast=True)] | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    tools: Annotated[list[Tool], Field(max_length=TOOLS_LIMIT, fail_fast=True)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    user: str | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
