"""What others wrote into the list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
)

from chat_core.messages.langchain import (
    element,
    to_langchain,
)
from chat_core.messages.message import Message, ToolCall
from tests.langchain_reader import from_langchain, parse_element
from tests.unit.messages.langchain_messages import json_objects, json_values

# What others wrote


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (HumanMessage(content="やあ", id="1"), Message("user", "やあ", id="1")),
        (HumanMessage(content="やあ", name="直美"), Message("user", "やあ", fields={"name": "直美"})),
        (AIMessage(content="はい"), Message("assistant", "はい")),
        (AIMessage(content=""), Message("assistant", "")),
        (AIMessageChunk(content="はい"), Message("assistant", "はい")),
        (SystemMessage(content="短く"), Message("system", "短く")),
        (ToolMessage(content="晴れ", tool_call_id="c1"), Message("tool", "晴れ", tool_call_id="c1")),
        (ChatMessage(content="x", role="critic"), Message("other", "x", fields={"role": "critic"})),
        (ChatMessage(content="x", role="developer"), Message("system", "x", fields={"role": "developer"})),
        (ChatMessage(content="x", role="assistant"), Message("assistant", "x")),
        (FunctionMessage(content="1", name="f"), Message("other", "1", fields={"role": "function", "name": "f"})),
        (
            AIMessage(
                content="",
                tool_calls=[{"name": "f", "args": {"都": 1}, "id": "c1"}],
                invalid_tool_calls=[{"name": "g", "args": "[", "id": "c2", "error": "x", "type": "invalid_tool_call"}],
            ),
            Message(
                "assistant",
                tool_calls=(
                    ToolCall("c1", "f", '{"都":1}', fields={"status": "completed"}),
                    ToolCall("c2", "g", "[", fields={"status": "completed"}),
                ),
            ),
        ),
        (
            HumanMessage(
                content=[
                    {"type": "text", "text": "b"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "audio", "base64": "AA"},
                ]
            ),
            Message(
                "user",
                (
                    {"type": "input_text", "text": "b"},
                    {"type": "input_image", "image_url": "https://example.com/a.png"},
                    {"type": "audio", "base64": "AA"},
                ),
            ),
        ),
    ],
)
def test_langchains_own_messages_are_read(theirs: BaseMessage, ours: Message) -> None:
    text = json.dumps(message_to_dict(theirs))
    assert parse_element(text) == ours
    assert from_langchain(to_langchain(ours)) == ours


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"human"',
        "{}",
        '{"type":"human"}',
        '{"type":"human","data":[]}',
        '{"type":"human","data":{}}',
        '{"type":"human","data":{"content":null}}',
        '{"type":["human"],"data":{"content":"x"}}',
        '{"type":"remove","data":{"content":"","id":"1"}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":3}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":{"omoide":3}}}',
        '{"type":"ai","data":{"content":"x","tool_calls":[3]}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":{"omoide":{"form":"future"}}}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":{"omoide":{"parts":[null,null]}}}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":{"omoide":{"seq":"1"}}}}',
        '{"type":"human","data":{"content":"x","additional_kwargs":{"omoide":{"role":"boss"}}}}',
        "[" * 100_000,
    ],
)
def test_junk_is_no_message(junk: str) -> None:
    assert parse_element(junk) is None


@given(
    st.sampled_from(["human", "ai", "system", "tool", "chat", "function", "x"]) | json_values,
    st.dictionaries(
        st.sampled_from(["content", "additional_kwargs", "tool_calls", "invalid_tool_calls", "tool_call_id", "id"]),
        json_values | st.lists(json_objects, max_size=2),
    ),
    st.dictionaries(
        st.sampled_from(["id", "seq", "role", "form", "parts", "calls", "fields"]),
        json_values
        | st.sampled_from(["null", "string", "parts", "value", "tool", "other"])
        | st.lists(st.none() | st.just(value=True) | json_objects, max_size=2),
    ),
)
def test_junk_never_raises(kind: Any, data: dict[str, Any], ours: dict[str, Any]) -> None:
    for content in (data.get("content"), "x", [{"type": "text", "text": "x"}]):
        for extra in ({}, {"additional_kwargs": {"omoide": ours}}):
            message = parse_element(json.dumps({"type": kind, "data": {**data, "content": content, **extra}}))
            if message is not None:
                assert isinstance(element(message), str)
