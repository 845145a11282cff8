"""``POST /v1/embeddings`` as a wire shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from chat_core.api.shapes import Wire


class EmbeddingsRequest(Wire):
    """The members with a rule of OpenAI's or ours; all others go through untouched."""

    model: Annotated[str, Field(min_length=1)]
    input: str | list[Any]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None
