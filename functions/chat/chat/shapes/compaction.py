"""``POST /v1/responses/compact`` as a wire shape."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chat_core.api.shapes import Wire


class CompactRequest(Wire):
    """The members with a rule of OpenAI's or ours; all others go through untouched."""

    model: Annotated[str, Field(min_length=1)]
    input: str | list[Any] | None = None
    previous_response_id: str | None = None
    instructions: str | None = None
    prompt_cache_key: str | None = None
