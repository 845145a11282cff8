"""Wire shapes of the history function's requests that are pydantic's; imported by the first that is read as one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chat_core.api.shapes import Wire
from chat_core.long_term.facts.words import MAX_LENGTH


class FactChange(Wire):
    """``POST /v1/memory/facts/{id}``."""

    object_value: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)] | None = None
    valid_to: str | None = None
    pinned: bool | None = None
    version: Annotated[int, Field(ge=1)]
