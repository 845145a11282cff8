"""What a response key costs: ``key_us``, the best of many, in microseconds."""

from __future__ import annotations

import timeit
from typing import TYPE_CHECKING, Any

from chat_core.keys import response_key

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = "Momento keeps what the model said, so that nobody pays for the same answer twice. " * 6
MESSAGES = [{"role": "assistant" if n % 2 else "user", "content": f"{n} {WORDS[n : n + 400]}"} for n in range(20)]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather by city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
            "required": ["city"],
        },
    },
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0K" * (1 << 17)}}


def best(body: dict[str, Any]) -> float:
    """Time a key, in microseconds: the best of many."""
    timer = timeit.Timer(
        lambda: response_key("chat/completions", body, scope="user", base_url="https://api.openai.com/v1")
    )
    number = max(1, timer.autorange()[0] // 10)
    return min(timer.repeat(repeat=100, number=number)) / number * 1e6


def bodies() -> dict[str, dict[str, Any]]:
    """Make the requests whose keys are timed."""
    return {
        "20 messages": {"model": "gpt-4.1-mini", "temperature": 0, "messages": MESSAGES},
        "20 messages, 3 tools": {"model": "gpt-4.1-mini", "messages": MESSAGES, "tools": [TOOL] * 3},
        "1 MB image": {
            "model": "gpt-4.1-mini",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}],
        },
    }


def measure(_stage: object, tell: Callable[[str], None]) -> dict[str, Any]:
    """Time a key of each."""
    tell("what a key costs")
    return {"key_us": {name: round(best(body), 1) for name, body in bodies().items()}}
