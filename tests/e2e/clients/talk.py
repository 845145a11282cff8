"""What every client says, and what the stand-in answers to it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

MODEL = "gpt-4.1-mini"
KEY = "fake-token"
TURNS = [
    ("My name is Naomi Watanabe.", "Hello, Naomi Watanabe! It is nice to meet you."),
    ("Please remember that my seat is 12A.", "I will remember: my seat is 12A"),
    ("What is my name?", "Your name is Naomi Watanabe!"),
]
SAID = [text for turn in TURNS for text in turn]
ASKS_WEATHER = "What is the weather in Oslo?"
WEATHER = "4C"
TOLD = "The tool get_weather says: 4C"
TOOL_TURN = ["message", "function_call", "function_call_output", "message"]
FUNCTION: dict[str, Any] = {
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Visitor(BaseModel):
    """A structured output; the stand-in puts its answer into the first text."""

    name: str
    tags: list[str]
