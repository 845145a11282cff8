from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from chat_core.api.streams import completion_chunks
from chat_core.model.assembled import AssembledCompletion
from tests.unit.api.streams.test_chat import comparable, completions


def assembled(*chunks: dict[str, Any]) -> dict[str, Any] | None:
    whole = AssembledCompletion()
    for chunk in chunks:
        before = copy.deepcopy(chunk)
        whole.add(chunk)
        assert chunk == before
    return whole.completion()


def chunk(delta: dict[str, Any], index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta, **more}]}


@given(completions())
def test_the_chunks_of_a_completion_make_it_again(whole: dict[str, Any]) -> None:
    again = assembled(*completion_chunks(whole, include_usage=True))
    assert again is not None
    assert comparable(again) == comparable(whole)


def test_choices_and_calls_may_come_in_any_order_and_repeat_what_names_them() -> None:
    def call(index: int, text: str) -> dict[str, Any]:
        function = {"name": f"f{index}", "arguments": text}
        return {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": function}]}

    whole = assembled(
        chunk({"role": "assistant", "content": "b"}, 1),
        chunk(call(0, '{"a"')),
        chunk(call(1, "{")),
        chunk({"role": "assistant", "content": "c"}, 1),
        chunk(call(0, ":1}")),
        chunk(call(1, "}")),
        chunk({}, 1, finish_reason="stop"),
        chunk({}, finish_reason="tool_calls"),
    )
    assert whole is not None
    first, second = whole["choices"]
    assert [(made["id"], made["function"]) for made in first["message"]["tool_calls"]] == [
        ("call_0", {"name": "f0", "arguments": '{"a":1}'}),
        ("call_1", {"name": "f1", "arguments": "{}"}),
    ]
    assert "index" not in first["message"]["tool_calls"][0]
    assert first["message"]["content"] is None
    assert (second["message"]["role"], second["message"]["content"]) == ("assistant", "bc")


def test_what_is_not_openais_own_is_kept() -> None:
    whole = assembled(
        {**chunk({"role": "assistant", "content": "", "reasoning_content": "h"}), "provider": "p"},
        chunk({"reasoning_content": "m"}),
        chunk({"content": "Hi"}, native_finish_reason="end"),
        chunk({}, finish_reason="stop"),
        {"id": "c", "choices": [], "usage": {"total_tokens": 3}},
    )
    assert whole is not None
    assert whole["provider"] == "p"
    assert whole["usage"] == {"total_tokens": 3}
    [choice] = whole["choices"]
    assert (choice["message"]["reasoning_content"], choice["native_finish_reason"]) == ("hm", "end")


@pytest.mark.parametrize("chunks", [[], [chunk({"content": "Hi"})], [chunk({}, finish_reason="stop"), chunk({}, 1)]])
def test_what_has_no_end_is_no_completion(chunks: list[dict[str, Any]]) -> None:
    assert assembled(*chunks) is None


@pytest.mark.parametrize(
    "wrong", [{}, {"choices": None}, {"choices": [None]}, {"choices": [{}]}, {"choices": [{"index": 0, "delta": "x"}]}]
)
def test_what_is_no_chunk_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError)):
        AssembledCompletion().add(wrong)
