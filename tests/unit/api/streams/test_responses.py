"""The events of a response: all of OpenAI's, in order, and the response again when they are put together."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_core.api.streams import response_events
from tests.openai_schema import assert_valid

WORDS = "東京の天気は晴れです。 The sky is clear, and 家族 👨\u200d👩\u200d👧 is out."
CITATION = {"type": "url_citation", "start_index": 0, "end_index": 3, "url": "https://example.com", "title": "T"}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "completed_at": 2,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt-4.1-mini",
    "output": [],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 3,
    },
    "conversation": {"id": "naomi"},
    "omoide": {"turn_id": "turn_1", "cache": {"status": "miss", "age": 0, "saved_tokens": 0}},
}


def token(text: str) -> dict[str, Any]:
    own = {"token": text, "bytes": list(text.encode()), "logprob": -0.25}
    return {**own, "top_logprobs": [own]}


def text_part(text: str, *, logprobs: bool = False, annotations: int = 0) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": text,
        "annotations": [CITATION] * annotations,
        "logprobs": [token(character) for character in text] if logprobs else [],
    }


def message(*parts: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": list(parts)}


def kinds(*items: dict[str, Any]) -> list[str]:
    """The events' types, repeated deltas once."""
    found: list[str] = []
    for event in response_events({**RESPONSE, "output": list(items)}):
        if not (found and found[-1] == event["type"] and event["type"].endswith(".delta")):
            found.append(event["type"])
    return [kind.removeprefix("response.") for kind in found]


REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "status": "completed",
    "summary": [{"type": "summary_text", "text": WORDS}, {"type": "summary_text", "text": ""}],
    "content": [{"type": "reasoning_text", "text": WORDS}],
    "encrypted_content": "fake-encrypted",
}
FUNCTION_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": json.dumps({"city": "東京", "days": [1, 2, 3, 4, 5]}, ensure_ascii=False),
}
CUSTOM_CALL = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_2", "name": "run", "input": WORDS}
WEB_SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "weather"},
}
FILE_SEARCH = {"id": "fs_1", "type": "file_search_call", "status": "completed", "queries": ["q"], "results": []}
CODE = {
    "id": "ci_1",
    "type": "code_interpreter_call",
    "status": "completed",
    "container_id": "cntr_1",
    "code": "print('a long enough piece of code')",
    "outputs": [{"type": "logs", "logs": "x"}],
}
IMAGE = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "AAAA"}
MCP_CALL = {
    "id": "mcp_1",
    "type": "mcp_call",
    "status": "completed",
    "server_label": "s",
    "name": "n",
    "arguments": '{"a":1}',
    "output": "o",
    "error": None,
}
MCP_FAILED = {
    **MCP_CALL,
    "status": "failed",
    "output": None,
    "error": {"type": "mcp_protocol_error", "code": 1, "message": "m"},
}
MCP_TOOLS = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "s", "tools": []}
SHELL = {
    "id": "sh_1",
    "type": "shell_call",
    "status": "completed",
    "call_id": "call_3",
    "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None},
    "environment": None,
}
STARTED = ["created", "in_progress"]
TEXT = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]


@pytest.mark.parametrize(
    ("item", "between"),
    [
        (message(text_part(WORDS)), TEXT),
        (message(text_part("")), [TEXT[0], *TEXT[2:]]),
        (message(text_part(WORDS, logprobs=True)), TEXT),
        (message(text_part("Hi", annotations=1)), [*TEXT[:2], "output_text.annotation.added", *TEXT[2:]]),
        (message(text_part("Hi"), text_part("there", logprobs=True), status="incomplete"), TEXT * 2),
        (
            message({"type": "refusal", "refusal": "I am sorry, but I cannot help with that."}),
            ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"],
        ),
        (message(), []),
        (
            REASONING,
            [
                *(f"reasoning_summary_{name}" for name in ("part.added", "text.delta", "text.done", "part.done")),
                *(f"reasoning_summary_{name}" for name in ("part.added", "text.done", "part.done")),
                *("content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done"),
            ],
        ),
        ({"id": "rs_2", "type": "reasoning", "summary": []}, []),
        (FUNCTION_CALL, ["function_call_arguments.delta", "function_call_arguments.done"]),
        (CUSTOM_CALL, ["custom_tool_call_input.delta", "custom_tool_call_input.done"]),
        (WEB_SEARCH, [f"web_search_call.{stage}" for stage in ("in_progress", "searching", "completed")]),
        ({**WEB_SEARCH, "status": "failed"}, ["web_search_call.in_progress", "web_search_call.searching"]),
        (FILE_SEARCH, [f"file_search_call.{stage}" for stage in ("in_progress", "searching", "completed")]),
        (
            CODE,
            [
                "code_interpreter_call.in_progress",
                "code_interpreter_call_code.delta",
                "code_interpreter_call_code.done",
                "code_interpreter_call.interpreting",
                "code_interpreter_call.completed",
            ],
        ),
        (
            {**CODE, "status": "incomplete"},
            [
                "code_interpreter_call.in_progress",
                "code_interpreter_call_code.delta",
                "code_interpreter_call_code.done",
                "code_interpreter_call.interpreting",
            ],
        ),
        (IMAGE, [f"image_generation_call.{stage}" for stage in ("in_progress", "generating", "completed")]),
        (
            MCP_CALL,
            ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.completed"],
        ),
        (
            MCP_FAILED,
            ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.failed"],
        ),
        (MCP_TOOLS, ["mcp_list_tools.in_progress", "mcp_list_tools.completed"]),
        ({**MCP_TOOLS, "error": "unreachable"}, ["mcp_list_tools.in_progress", "mcp_list_tools.failed"]),
        (SHELL, []),
    ],
)
def test_each_kind_of_item_has_openais_events(item: dict[str, Any], between: list[str]) -> None:
    assert_valid(item, "OutputItem")
    assert kinds(item) == [*STARTED, "output_item.added", *between, "output_item.done", "completed"]
    events = list(response_events({**RESPONSE, "output": [item]}))
    for event in events:
        assert_valid(event, "ResponseStreamEvent")
    added = events[2]["item"]
    assert added.keys() == item.keys()
    if "status" in item and item is not SHELL:
        assert added["status"] == "in_progress"


def test_what_is_not_known_is_announced_and_done_as_it_is() -> None:
    item = {"id": "x_1", "type": "telepathy_call", "thought": ["…"], "status": "completed"}
    assert kinds(item) == [*STARTED, "output_item.added", "output_item.done", "completed"]
    added, done = list(response_events({**RESPONSE, "output": [item]}))[2:4]
    assert added["item"] == done["item"] == item
    part = {"type": "output_smell", "smell": "rose"}
    added, done = list(response_events({**RESPONSE, "output": [message(part)]}))[3:5]
    assert (added["type"], done["type"]) == ("response.content_part.added", "response.content_part.done")
    assert added["part"] == done["part"] == part


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ({}, "response.completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "completed_at": None},
            "response.incomplete",
        ),
        (
            {"status": "failed", "error": {"code": "server_error", "message": "m"}, "completed_at": None},
            "response.failed",
        ),
    ],
)
def test_the_first_and_the_last_event_hold_the_response_and_our_members(end: dict[str, Any], last: str) -> None:
    response = {**RESPONSE, **end, "output": [message(text_part("Hi"))]}
    events = list(response_events(response))
    for event in events:
        assert_valid(event, "ResponseStreamEvent")
    first = events[0]["response"]
    assert (first["status"], first["output"], first["usage"], first["error"]) == ("in_progress", [], None, None)
    assert (first["omoide"], first["conversation"]) == (response["omoide"], response["conversation"])
    assert events[1]["response"] == first
    assert (events[-1]["type"], events[-1]["response"]) == (last, response)


def folded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the output together from announcements and deltas alone."""
    output: list[dict[str, Any]] = []
    for event in copy.deepcopy(events):
        kind = event["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert event["output_index"] == len(output)
            output.append(event["item"])
            continue
        if "output_index" not in event:
            continue
        item = output[event["output_index"]]
        assert event.get("item_id", item["id"]) == item["id"]
        if kind in ("content_part.added", "reasoning_summary_part.added"):
            parts = item["content" if kind.startswith("content") else "summary"]
            assert event.get("content_index", event.get("summary_index")) == len(parts)
            parts.append(event["part"])
        elif kind == "output_text.annotation.added":
            annotations = item["content"][event["content_index"]]["annotations"]
            assert event["annotation_index"] == len(annotations)
            annotations.append(event["annotation"])
        elif kind.endswith(".delta"):
            add(item, kind, event)
    return output


def add(item: dict[str, Any], kind: str, event: dict[str, Any]) -> None:
    if kind == "reasoning_summary_text.delta":
        item["summary"][event["summary_index"]]["text"] += event["delta"]
    elif kind == "function_call_arguments.delta":
        item["arguments"] += event["delta"]
    elif kind == "custom_tool_call_input.delta":
        item["input"] += event["delta"]
    else:
        part = item["content"][event["content_index"]]
        part["refusal" if kind == "refusal.delta" else "text"] += event["delta"]
        if kind == "output_text.delta":
            part["logprobs"] += event["logprobs"]


texts = st.text(max_size=80) | st.sampled_from([WORDS, WORDS * 5, ""])
parts = st.builds(text_part, texts, logprobs=st.booleans(), annotations=st.integers(0, 2)) | st.builds(
    lambda text: {"type": "refusal", "refusal": text}, texts
)
summaries = st.lists(st.builds(lambda text: {"type": "summary_text", "text": text}, texts), max_size=2)
items = st.one_of(
    st.lists(parts, max_size=3).map(lambda given: message(*given)),
    st.builds(lambda text: {**FUNCTION_CALL, "arguments": text}, texts),
    st.builds(lambda text: {**CUSTOM_CALL, "input": text}, texts),
    st.builds(lambda given: {"id": "rs_1", "type": "reasoning", "summary": given}, summaries),
)
responses = st.lists(items, max_size=4).map(lambda output: {**RESPONSE, "output": output})
FINISHED = {"status": "completed"}


@given(responses)
def test_the_deltas_put_together_are_the_response(response: dict[str, Any]) -> None:
    before = copy.deepcopy(response)
    events = list(response_events(response))
    assert response == before
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    output = [{**item, **(FINISHED if "status" in item else {})} for item in folded(events)]
    assert output == response["output"]
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == response["output"]
    assert events[-1]["response"] == response
    assert list(response_events(response)) == events


@given(responses)
@settings(max_examples=15)
def test_every_event_is_openais(response: dict[str, Any]) -> None:
    for event in response_events(response):
        assert_valid(event, "ResponseStreamEvent")


def test_a_part_whose_type_is_no_text_is_announced_and_done_as_it_is() -> None:
    part: dict[str, Any] = {"type": ["output_text"], "text": "x"}
    told = [event["part"] for event in response_events({**RESPONSE, "output": [message(part)]}) if "part" in event]
    assert told == [part, part]
