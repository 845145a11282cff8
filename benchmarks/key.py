"""What a response key costs: 20 messages, the same with tools, and an image of 1 MB. Best of many, in microseconds."""

from __future__ import annotations

import json
import sys
import timeit
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "chat_core"))

from chat_core.keys import response_key

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


def main() -> None:
    for name, body in bodies().items():
        print(f"{name:<22}{len(json.dumps(body)):>10,} bytes of JSON{best(body):>10.1f} µs")


if __name__ == "__main__":
    main()
