"""What a request and its reply cost: counted as the layer counts, so that a budget kept there is kept in ``usage``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.messages import Message, ToolCall, from_items
from chat_core.tokens import REQUEST_TOKENS, counter_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A real model answers at once, however long the request; to count takes a second for each megabyte. Beyond this many
# bytes a quarter of them is close to what texts have in English and in Japanese.
_COUNTED_BYTES = 100_000
_BYTES_A_TOKEN = 4


def load_vocabulary() -> None:
    """Load what most models are counted with: else the first answer would wait for it."""
    counter_for("gpt-4.1-mini").text("")


def text_tokens(text: str, model: str) -> int:
    """Count the tokens of a text; estimate those of a very long one."""
    size = len(text.encode())
    return counter_for(model).text(text) if size <= _COUNTED_BYTES else size // _BYTES_A_TOKEN


def cut(text: str, limit: int, model: str) -> str:
    """Cut a text to so many tokens, between two characters: the longest beginning that has no more."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_tokens(text[:middle], model) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def responses_input(body: Mapping[str, Any]) -> int:
    """Count the input of a request of the Responses API: instructions, items and tools."""
    asked, instructions = body.get("input"), body.get("instructions")
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked or ()
    own = [Message("system", content=instructions)] if instructions else []
    return _input([*own, *from_items(items)], body)


def chat_input(body: Mapping[str, Any]) -> int:
    """Count the input of a request of the Chat Completions API: messages and tools."""
    return _input([_message(message) for message in body["messages"]], body)


def _input(messages: Sequence[Message], body: Mapping[str, Any]) -> int:
    counter, tools = counter_for(body["model"]), body.get("tools") or ()
    most = sum(map(counter.at_most, messages)) + counter.tools_at_most(tools)
    if most > _COUNTED_BYTES:
        return most // _BYTES_A_TOKEN
    return REQUEST_TOKENS + sum(map(counter.message, messages)) + counter.tools(tools)


def _message(message: Mapping[str, Any]) -> Message:
    functions = [call.get("function") or {} for call in message.get("tool_calls") or ()]
    calls = tuple(ToolCall("", str(f.get("name") or ""), str(f.get("arguments") or "")) for f in functions)
    role = message["role"]
    content = message.get("content")
    return Message(
        "system" if role == "developer" else role,
        tuple(content) if isinstance(content, list) else content,
        calls,
        fields={"name": message["name"]} if isinstance(message.get("name"), str) else {},
    )
