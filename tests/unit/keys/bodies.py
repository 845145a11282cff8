"""Requests and their keys."""

from __future__ import annotations

from typing import Any

from chat_core import keys
from chat_core.keys import response_key

URL = "https://api.openai.com/v1"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "q"}], "temperature": 0}


def key(body: dict[str, Any], **context: Any) -> str:
    endpoint = context.pop("endpoint", "chat/completions")
    return response_key(endpoint, body, **{"scope": "u", "base_url": URL, **context})


def key_with(**members: Any) -> str:
    return key({**BODY, **members})


def key_of_schema(schema: dict[str, Any]) -> str:
    return key_with(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])


def embedding(text: Any = "text", **members: Any) -> str:
    parts = {"model": "m", "dimensions": None, "scope": "u", "base_url": URL, **members}
    return keys.embedding_key(text, **parts)
