from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
    messages_to_dict,
)

from chat_core.messages.items import from_items, stored_item, to_items
from chat_core.messages.langchain import (
    element,
    to_langchain,
)
from chat_core.messages.message import Message, text_of
from tests.chat_messages import from_chat
from tests.langchain_reader import from_langchain, parse_element
from tests.unit.messages.langchain_messages import json_objects, json_values, parts, read, some, texts

statuses = st.sampled_from(["completed", "in_progress", "incomplete"])
contents = texts | st.lists(parts | json_values.filter(lambda value: not isinstance(value, dict)), max_size=4)
arguments = json_objects.map(json.dumps) | st.one_of(
    json_objects.map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))),
    json_objects.map(lambda value: json.dumps(value, indent=1)),
    json_values.map(json.dumps),
    texts,
    st.sampled_from(
        ['{"a": 1, "a": 2}', '{"a":1.0}', '{"a":1e400}', '{"a":NaN}', ' {"a":1}\n', '{"a":"\\ud800"}', "[" * 9_999]
    ),
)
ids = st.sampled_from(["", "msg_00ff00ff00ff00ff000000000001"]) | st.text(min_size=1, max_size=8)
items = st.one_of(
    some(
        {"type": st.just("message"), "role": st.sampled_from(["user", "assistant", "system", "developer", "critic"])},
        content=contents,
        id=ids,
        status=statuses,
        phase=st.just("commentary"),
    ),
    some(
        {
            "type": st.sampled_from(["function_call", "custom_tool_call", "computer_call"]),
            "call_id": ids,
            "name": texts,
        },
        arguments=arguments,
        input=texts,
        id=ids,
        status=statuses,
        action=json_objects,
    ),
    some(
        {"type": st.sampled_from(["function_call_output", "custom_tool_call_output", "computer_call_output"])},
        call_id=ids | st.integers(),
        output=contents | json_values,
        id=ids,
        status=statuses,
    ),
    some({"type": st.just("reasoning"), "summary": st.lists(parts, max_size=2)}, id=ids, encrypted_content=texts),
    some(
        {"type": st.sampled_from(["web_search_call", "compaction", "何か"])}, id=ids, content=json_values, a=json_values
    ),
)
messages = st.builds(
    lambda items, stored, place: from_items([stored_item(item) for item in items] if stored else items, **place),
    st.lists(items, max_size=4),
    st.booleans(),
    some({}, turn_id=texts, created_at=st.integers(0, 2**40), first_seq=st.integers(0, 10**12)),
)
chat_calls = some({"id": ids, "type": st.just("function")}, function=some({"name": texts, "arguments": arguments}))
chat_messages = st.builds(
    from_chat,
    st.lists(
        some({"role": st.sampled_from(["user", "system", "developer", "critic"])}, content=contents, name=texts, id=ids)
        | some(
            {"role": st.just("assistant")}, content=st.none() | contents, tool_calls=st.lists(chat_calls, max_size=3)
        )
        | some({"role": st.sampled_from(["tool", "function"])}, content=contents, tool_call_id=ids),
        max_size=3,
    ),
)


def stored(*items: dict[str, Any], **place: Any) -> tuple[Message, ...]:
    return from_items([stored_item(item) for item in items], **place)


@given(messages | chat_messages)
def test_every_message_comes_back(messages: tuple[Message, ...]) -> None:
    assert tuple(from_langchain(to_langchain(message)) for message in messages) == messages
    # JSON tells 1 from True and 1.0, which Python's own equality does not.
    again = [from_langchain(json.loads(json.dumps(to_langchain(message)))) for message in messages]
    assert json.dumps(to_items(again), sort_keys=True) == json.dumps(to_items(messages), sort_keys=True)


def _well_formed(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("type"), str) and isinstance(part.get("text", ""), str)


@given(messages | chat_messages)
def test_langchain_reads_every_element_text_for_text(messages: tuple[Message, ...]) -> None:
    for message, theirs in zip(messages, read([element(message) for message in messages]), strict=True):
        in_item = message.role == "tool" and "type" in message.fields
        content = message.fields.get("output") if in_item else message.content
        if isinstance(content, str):
            assert theirs.content == content
        elif isinstance(content, list | tuple) and all(_well_formed(part) for part in content):
            assert theirs.text == text_of(tuple(content))
        elif content is None:
            assert theirs.content == ""
        if message.tool_calls:
            assert isinstance(theirs, AIMessage)
            calls = [*theirs.tool_calls, *theirs.invalid_tool_calls]
            assert sorted(str(call["id"]) for call in calls) == sorted(call.id for call in message.tool_calls)
        if message.role == "tool":
            assert isinstance(theirs, ToolMessage)
            assert theirs.tool_call_id == message.tool_call_id


@given(messages)
def test_an_element_is_what_langchain_itself_would_write(messages: tuple[Message, ...]) -> None:
    elements = [json.loads(element(message)) for message in messages]
    assert messages_to_dict(messages_from_dict(elements)) == elements


@given(messages)
def test_an_element_is_read_back(messages: tuple[Message, ...]) -> None:
    assert tuple(parse_element(element(message)) for message in messages) == messages


@pytest.mark.parametrize(
    ("role", "kind"), [("user", "human"), ("assistant", "ai"), ("system", "system"), ("developer", "system")]
)
def test_a_text_is_a_plain_string_and_the_frame_is_small(role: str, kind: str) -> None:
    place: dict[str, Any] = {"turn_id": "turn_0123456789abcdef", "created_at": 1_755_000_000, "first_seq": 18}
    item = {"id": "msg_0123456789abcdef000000000012", "role": role, "content": "こんにちは！\n👋"}
    (message,) = from_items([{**stored_item(item), "id": item["id"]}], **place)
    text = element(message)
    assert json.loads(text)["type"] == kind
    (theirs,) = read([text])
    assert theirs.content == item["content"]
    assert (
        theirs.additional_kwargs["omoide"].items()
        >= {
            "id": item["id"],
            "created_at": 1_755_000_000,
            "turn_id": "turn_0123456789abcdef",
            "seq": 18,
        }.items()
    )
    own = message_to_dict(theirs.model_copy(update={"additional_kwargs": {}}))
    frame = len(json.dumps(own, ensure_ascii=False, separators=(",", ":")).encode())
    assert len(text.encode()) - frame <= 170


def test_images_are_parts_that_langchain_knows() -> None:
    (message,) = stored(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "何の写真？"},
                {"type": "input_image", "image_url": "https://example.com/a.png"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
            ],
        }
    )
    (theirs,) = read([element(message)])
    assert theirs.text == "何の写真？"
    assert [block["type"] for block in theirs.content_blocks] == ["text", "image", "image"]
    assert theirs.content_blocks[1]["url"] == "https://example.com/a.png"  # type: ignore[typeddict-item]
    assert theirs.content_blocks[2]["base64"] == "AAAA"  # type: ignore[typeddict-item]


def test_tool_calls_and_results() -> None:
    raw = '{ "city" : "大阪" }'
    call, result, listed = stored(
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": raw},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "shell", "input": "ls -l"},
        {"type": "function_call", "call_id": "call_3", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "晴れ"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "a\nb"}]},
    )
    asks, says, lists = read([element(call), element(result), element(listed)])
    assert isinstance(asks, AIMessage)
    assert asks.content == ""
    assert asks.tool_calls == [
        {"name": "weather", "args": {"city": "大阪"}, "id": "call_1", "type": "tool_call"},
        {"name": "now", "args": {}, "id": "call_3", "type": "tool_call"},
    ]
    assert [(wrong["name"], wrong["args"], wrong["id"]) for wrong in asks.invalid_tool_calls] == [
        ("shell", "ls -l", "call_2")
    ]
    assert isinstance(says, ToolMessage)
    assert (says.tool_call_id, says.content, says.status) == ("call_1", "晴れ", "success")
    assert isinstance(lists, ToolMessage)
    assert (lists.tool_call_id, lists.content) == ("call_2", "a\nb")
    assert [given.arguments for given in from_langchain(to_langchain(call)).tool_calls] == [raw, "ls -l", "{}"]


@pytest.mark.parametrize("raw", ['{"a":1e400}', '{"a":NaN}', "[1]", "", "{", '"{}"'])
def test_arguments_that_are_no_json_object_are_invalid_and_kept(raw: str) -> None:
    (message,) = stored({"type": "function_call", "call_id": "call_1", "name": "f", "arguments": raw})
    text = element(message)
    json.loads(text, parse_constant=pytest.fail)
    (theirs,) = read([text])
    assert isinstance(theirs, AIMessage)
    assert theirs.tool_calls == []
    assert [call["args"] for call in theirs.invalid_tool_calls] == [raw]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "考え中"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}},
        {"type": "something_new", "payload": [1, {"a": None}]},
    ],
)
def test_what_has_no_role_says_nothing_to_a_model(item: dict[str, Any]) -> None:
    (message,) = from_items([item])
    (theirs,) = read([element(message)])
    assert isinstance(theirs, AIMessage)
    assert theirs.content == ""
    assert not theirs.tool_calls
    assert to_items([from_langchain(to_langchain(message))]) == [item]
