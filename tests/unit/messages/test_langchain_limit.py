"""An element that LangChain's list does not hold is stood in for."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    SystemMessage,
)

from chat_core.messages.langchain import (
    MAX_ELEMENT_BYTES,
    element,
    fitting,
)
from chat_core.messages.message import Message, ToolCall
from tests.langchain_reader import parse_element
from tests.unit.messages.langchain_messages import read

# The limit


def of_bytes(size: int) -> Message:
    empty = Message("user", ({"type": "input_text", "text": ""},), id="msg_1", seq=7, fields={"status": "completed"})
    frame = len(element(empty).encode())
    text = "あ" * ((size - frame) // 3) + "a" * ((size - frame) % 3)
    return Message("user", ({"type": "input_text", "text": text},), id="msg_1", seq=7, fields={"status": "completed"})


def test_the_largest_element_is_written_whole() -> None:
    text = element(of_bytes(MAX_ELEMENT_BYTES))
    assert len(text.encode()) == MAX_ELEMENT_BYTES == 131_072
    assert parse_element(text) == of_bytes(MAX_ELEMENT_BYTES)


def test_a_larger_one_is_stood_in_for() -> None:
    text = element(of_bytes(MAX_ELEMENT_BYTES + 1))
    assert len(text.encode()) < 500
    (theirs,) = read([text])
    assert isinstance(theirs, SystemMessage)
    assert "131073 bytes" in theirs.text
    assert "durable history" in theirs.text
    assert theirs.additional_kwargs["omoide"]["id"] == "msg_1"
    message = parse_element(text)
    assert message is not None
    assert (message.id, message.seq, message.fields) == ("msg_1", 7, {"status": "incomplete"})


def test_what_is_nested_too_deeply_is_stood_in_for() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    (theirs,) = read([element(Message("other", fields={"type": "x", "value": value}))])
    assert isinstance(theirs, SystemMessage)
    assert "nested" in theirs.text


def test_half_a_surrogate_pair_does_not_break_the_list() -> None:
    call = ToolCall("call_1", "f", '{"a":"\\ud83d"}', fields={"status": "completed"})
    text = element(Message("assistant", "a\ud83d", tool_calls=(call,)))
    (theirs,) = read([text.encode().decode()])
    assert theirs.content == "a?"
    message = parse_element(text)
    assert message is not None
    assert message.tool_calls == (call,)


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(1, 20), st.integers(0, 300))
def test_fitting_is_the_most_that_fits(sizes: list[int], keep: int, max_bytes: int) -> None:
    count = fitting(sizes, keep, max_bytes)
    newest = sizes[::-1]
    assert 0 <= count <= min(keep, len(sizes))
    assert sum(newest[:count]) <= max_bytes
    if count < min(keep, len(sizes)):
        assert sum(newest[: count + 1]) > max_bytes
