"""What the tests of the stand-in model share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    import httpx2

MODEL = "gpt-4.1-mini"
KEY = "sk-fake-not-a-key"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER: dict[str, Any] = {"name": "get_weather", "description": "Weather for a city.", "parameters": PARAMETERS}
TOOL: Any = {"type": "function", "strict": True, **WEATHER}
CHAT_TOOL: Any = {"type": "function", "function": WEATHER}

RESPONSES: list[dict[str, Any]] = [
    {"input": "Hello"},
    {"input": [{"role": "user", "content": [{"type": "input_text", "text": "私の名前は渡辺直美です。"}]}]},
    {"input": "What is in it?", "instructions": "Be brief.", "temperature": 0, "top_p": 0.5, "metadata": {"a": "b"}},
    {"input": "Weather in Oslo?", "tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
    {"input": "Hi", "tools": [TOOL], "tool_choice": {"type": "function", "name": "get_weather"}},
    {
        "input": "Hi",
        "tools": [TOOL, {"type": "web_search"}],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "get_weather"}],
        },
    },
    {"input": "Hi there, how are you?", "max_output_tokens": 3},
    {"input": "Weather in Oslo?", "tools": [TOOL], "max_output_tokens": 2},
    {"input": "Hi", "include": ["message.output_text.logprobs"], "top_logprobs": 2},
    {"input": "Hi", "text": {"format": {"type": "json_object"}, "verbosity": "low"}},
    {"input": "Hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": PARAMETERS, "strict": True}}},
    {"input": "Hi", "reasoning": {"effort": "low"}, "service_tier": "auto", "user": "u", "prompt_cache_key": "k"},
    {
        "input": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is it?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
                ],
            },
        ]
    },
]
CHATS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hello"}]},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "名前は？"}], "n": 3},
    {"messages": [{"role": "user", "content": "Weather in Oslo?"}], "tools": [CHAT_TOOL], "n": 2},
    {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [CHAT_TOOL],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    },
    {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [CHAT_TOOL],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "get_weather"}}],
            },
        },
    },
    {"messages": [{"role": "user", "content": "Hello there"}], "max_tokens": 2, "logprobs": True, "top_logprobs": 3},
    {"messages": [{"role": "user", "content": "Hello there"}], "max_completion_tokens": 2},
    {"messages": [{"role": "user", "content": "Hello"}], "response_format": {"type": "json_object"}},
]


def post(http: httpx2.Client, route: str, body: dict[str, Any], schema: str) -> Any:
    """Return what the wire really carries, checked against OpenAI's schema."""
    answer = http.post(route, json={"model": MODEL, **body})
    assert answer.status_code == 200, answer.text
    assert_valid(answer.json(), schema)
    return answer.json()


def stream(http: httpx2.Client, route: str, body: dict[str, Any], schema: str) -> list[Any]:
    """Return the events of a stream, each checked, without the mark that ends a chat's."""
    answer = http.post(route, json={"model": MODEL, "stream": True, **body})
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    if route == "chat/completions":
        assert data.pop() == "[DONE]"
    events = [json.loads(line) for line in data]
    for event in events:
        assert_valid(event, schema)
    return events
