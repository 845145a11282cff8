from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat_core.history.as_messages import stored_messages
from chat_core.history.records import StoredItem
from chat_core.messages.items import from_items, stored_item, to_items, upstream_items
from tests.chat_messages import from_chat, to_chat
from tests.openai_schema import assert_valid

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
text_parts = st.builds(lambda text: {"type": "input_text", "text": text}, texts)
image_parts = st.just({"type": "input_image", "image_url": "https://images.example/a.png", "detail": "low"})
messages = st.builds(
    lambda role, content: {"type": "message", "role": role, "content": content, "status": "completed"},
    st.sampled_from(["user", "system", "developer"]),
    st.lists(text_parts | image_parts, max_size=3),
)
answers = st.builds(
    lambda text, refusal: {
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "output_text", "text": text, "annotations": [], "logprobs": []},
            *([{"type": "refusal", "refusal": text}] if refusal else []),
        ],
        "status": "completed",
        "phase": "final_answer",
    },
    texts,
    st.booleans(),
)
calls = st.builds(
    lambda number, name, arguments: {
        "type": "function_call",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        "status": "completed",
        "namespace": "tools",
    },
    st.integers(0, 5),
    texts.filter(bool),
    texts,
)
custom_calls = st.builds(
    lambda text: {"type": "custom_tool_call", "call_id": "call_9", "name": "shell", "input": text}, texts
)
outputs = st.builds(
    lambda number, output: {"type": "function_call_output", "call_id": f"call_{number}", "output": output},
    st.integers(0, 5),
    texts | st.lists(text_parts, max_size=2),
)
reasoning = st.builds(
    lambda sealed: {"type": "reasoning", "summary": [], "encrypted_content": sealed}, st.none() | texts
)
unknown = st.builds(
    lambda kind, value: {"type": f"future_{kind}", "value": value}, st.sampled_from(["thing", "call"]), json_values
)
items = messages | answers | calls | custom_calls | outputs | reasoning | unknown


@given(st.lists(items, max_size=12), st.booleans())
def test_items_come_back_as_they_were(found: list[dict[str, Any]], named: bool) -> None:
    if named:
        found = [{"id": f"id_{place}", **item} for place, item in enumerate(found)]
    assert to_items(from_items(found)) == found


@given(st.lists(items, max_size=12))
def test_every_item_belongs_to_one_message(found: list[dict[str, Any]]) -> None:
    read = from_items(found, first_seq=1)
    assert [message.seq for message in read] == sorted({message.seq for message in read})
    assert not found or read[-1].seq == len(found)


def test_an_answer_and_its_calls_are_one_message_and_results_are_not() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    read = from_items(
        [
            {"role": "assistant", "content": "I look it up."},
            call,
            {**call, "call_id": "c2"},
            {"type": "function_call_output", "call_id": "c1", "output": "4C"},
            {"type": "function_call_output", "call_id": "c2", "output": "21C"},
            {"role": "assistant", "content": "4C and 21C"},
        ]
    )
    assert [(m.role, [c.id for c in m.tool_calls], m.tool_call_id) for m in read] == [
        ("assistant", ["c1", "c2"], ""),
        ("tool", [], "c1"),
        ("tool", [], "c2"),
        ("assistant", [], ""),
    ]


def test_stored_items_are_openais_resources() -> None:
    given_items: list[dict[str, Any]] = [
        {"role": "user", "content": "こんにちは👋\n"},
        {"role": "assistant", "content": "hi"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "https://images.example/a.png"}]},
        {"type": "function_call", "id": "fc_theirs", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "4C"},
    ]
    for item in given_items:
        assert_valid({"id": "msg_1", **stored_item(item)}, "ConversationItem")
    assert "id" not in stored_item(given_items[3])


def test_storing_changes_no_item_of_an_unknown_kind() -> None:
    item = {"type": "future_thing", "value": [1, None], "status": None}
    assert stored_item(item) == item


@given(st.lists(items, max_size=8))
def test_storing_twice_is_storing_once(found: list[dict[str, Any]]) -> None:
    once = [stored_item(item) for item in found]
    assert [stored_item(item) for item in once] == once


def test_what_goes_upstream_has_no_ids_of_ours_and_only_sealed_reasoning() -> None:
    found = from_items(
        [
            {"id": "msg_1", **stored_item({"role": "user", "content": "hi"})},
            {"id": "rs_1", "type": "reasoning", "summary": []},
            {"id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "sealed"},
            {"id": "msg_2", **stored_item({"role": "assistant", "content": "hello", "phase": "final_answer"})},
        ]
    )
    assert upstream_items(found) == [
        {"type": "message", "role": "user", "content": "hi"},
        {"type": "reasoning", "summary": [], "encrypted_content": "sealed"},
        {"type": "message", "role": "assistant", "content": "hello", "phase": "final_answer"},
    ]


def test_a_part_that_is_more_than_text_stays_a_part_upstream() -> None:
    part = {"type": "output_text", "text": "hi", "annotations": [{"type": "url_citation"}], "logprobs": []}
    sent = upstream_items(from_items([{"role": "assistant", "content": [part]}]))
    assert sent[0]["content"] == [part]


def test_stored_messages_keep_turns_apart_and_places_over_holes() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    read = stored_messages(
        [
            StoredItem(3, "turn_a", 10, {"type": "message", "role": "assistant", "content": "a"}),
            StoredItem(7, "turn_b", 20, call),
            StoredItem(9, "turn_b", 20, {"type": "function_call_output", "call_id": "c1", "output": ""}),
        ]
    )
    assert [(m.seq, m.turn_id, m.created_at) for m in read] == [(3, "turn_a", 10), (7, "turn_b", 20), (9, "turn_b", 20)]


chat_messages = st.one_of(
    st.builds(lambda r, c: {"role": r, "content": c}, st.sampled_from(["system", "user", "developer"]), texts),
    st.builds(
        lambda text, arguments: {
            "role": "assistant",
            "content": text,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}],
        },
        texts | st.none(),
        texts,
    ),
    st.builds(lambda text: {"role": "tool", "content": text, "tool_call_id": "c"}, texts),
)


@given(st.lists(chat_messages, max_size=6))
def test_chat_messages_come_back_as_they_were(found: list[dict[str, Any]]) -> None:
    assert to_chat(from_chat(found)) == found
