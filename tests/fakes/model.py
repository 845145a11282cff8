"""A model in this process that answers what it is told to, after as long as it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.keys.canonical import Endpoint
    from chat_core.model import Tell


def completion(text: str | None = "Tokyo.", **message: Any) -> dict[str, Any]:
    """Make a chat completion."""
    return {
        "id": "chatcmpl-upstream",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


class FakeModel:
    """`chat_core.model.ChatModel`.

    Parameters
    ----------
    seconds
        How long each call takes.

    Attributes
    ----------
    script
        What the next calls end with, answers or errors; a whole completion when it is empty.
    events
        What is told of each call that asks for it, at its beginning.
    bodies
        What it was asked.
    """

    def __init__(self, seconds: float = 0.3) -> None:
        self.seconds = seconds
        self.script: deque[dict[str, Any] | BaseException] = deque()
        self.events: list[dict[str, Any]] = []
        self.bodies: list[Mapping[str, Any]] = []

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        self.bodies.append(body)
        if tell is not None:
            for event in self.events:
                tell(event)
        end = self.script.popleft() if self.script else completion()
        await asyncio.sleep(self.seconds)
        if isinstance(end, BaseException):
            raise end
        return end
