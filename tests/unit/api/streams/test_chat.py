"""The chunks of a chat completion: OpenAI's, and the completion again when they are put together."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from chat_core.api.answers import event_stream
from chat_core.api.streams import chunk_frames, completion_chunks
from local.model.answers import Reply
from local.model.chat_completions import create
from tests.contract.stand_in_model.support import CHATS, MODEL
from tests.openai_schema import assert_valid

SCHEMA = "CreateChatCompletionStreamResponse"
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def token(text: str) -> dict[str, Any]:
    return {"token": text, "bytes": list(text.encode()), "logprob": -0.5, "top_logprobs": []}


def choice(message: dict[str, Any], index: int = 0, reason: str = "stop", **more: Any) -> dict[str, Any]:
    whole = {"role": "assistant", "content": None, "refusal": None, **message}
    return {"index": index, "message": whole, "logprobs": None, "finish_reason": reason, **more}


def completion(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": list(choices),
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        **more,
    }


def folded(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Put a completion together as OpenAI's guide has it: join the deltas of each choice and each tool call."""
    chunks = copy.deepcopy(chunks)
    whole = {name: value for chunk in chunks for name, value in chunk.items()}
    choices: dict[int, dict[str, Any]] = {}
    for piece in (piece for chunk in chunks for piece in chunk["choices"]):
        own = choices.setdefault(piece["index"], {"index": piece["index"], "message": {}, "logprobs": None})
        assert own.get("finish_reason") is None, "a choice goes on after its end"
        join(own["message"], piece.pop("delta"))
        if logprobs := piece.pop("logprobs", None):
            own["logprobs"] = own["logprobs"] or {"content": [], "refusal": []}
            for name, entries in logprobs.items():
                own["logprobs"][name] += entries
        own.update(piece)
    return {**whole, "object": "chat.completion", "choices": [choices[index] for index in sorted(choices)]}


def join(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            for call in value:
                calls = whole.setdefault(name, [])
                if (index := call.pop("index")) == len(calls):
                    calls.append({})
                join(calls[index], call)
        elif isinstance(value, dict) and name in whole:
            join(whole[name], value)
        elif isinstance(whole.get(name), str) and name in ("content", "refusal", "arguments", "input"):
            whole[name] += value
        else:
            whole[name] = value


def comparable(whole: dict[str, Any]) -> dict[str, Any]:
    """A completion without what is empty: a stream does not tell an empty list from none."""
    whole = copy.deepcopy(whole)
    for own in whole["choices"]:
        own["message"] = {name: value for name, value in own["message"].items() if value not in (None, [])}
        if own["logprobs"]:
            own["logprobs"] = {name: entries or [] for name, entries in own["logprobs"].items()}
    return whole


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("body", CHATS)
def test_a_completions_chunks_are_openais_and_make_it_again(body: dict[str, Any], include_usage: bool) -> None:
    whole = create({"model": MODEL, **body}, now=1, change=lambda reply: reply)
    chunks = list(completion_chunks(whole, include_usage=include_usage))
    for chunk in chunks:
        assert_valid(chunk, SCHEMA)
    expected = comparable(whole)
    if include_usage:
        assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
        assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])
    else:
        assert not any("usage" in chunk for chunk in chunks)
        del expected["usage"]
    assert comparable(folded(chunks)) == expected
    assert {(chunk["id"], chunk["service_tier"], chunk["system_fingerprint"]) for chunk in chunks} == {
        (whole["id"], "default", whole["system_fingerprint"])
    }


@pytest.mark.parametrize("body", CHATS)
def test_the_sdk_makes_the_completion_again(body: dict[str, Any]) -> None:
    whole = create({"model": MODEL, **body}, now=1, change=lambda reply: reply)
    state = ChatCompletionStreamState[None]()
    for chunk in completion_chunks(whole, include_usage=True):
        list(state.handle_chunk(ChatCompletionChunk.model_validate(chunk)))
    final = state.current_completion_snapshot.to_dict()
    assert (final["id"], final["usage"]) == (whole["id"], whole["usage"])
    choices: Any = final["choices"]
    for found, expected in zip(choices, whole["choices"], strict=True):
        assert found["finish_reason"] == expected["finish_reason"]
        assert found["message"]["content"] == expected["message"]["content"]
        calls = [call["function"]["arguments"] for call in expected["message"].get("tool_calls", ())]
        assert [call["function"]["arguments"] for call in found["message"].get("tool_calls") or ()] == calls
        if expected["logprobs"]:
            assert found["logprobs"]["content"] == expected["logprobs"]["content"]


def test_a_route_answers_a_stream_in_one_line() -> None:
    whole = create({"model": MODEL, **CHATS[0]}, now=1, change=lambda reply: reply)
    answer = event_stream(
        "".join(chunk_frames(completion_chunks(whole, include_usage=False))), headers={"X-Cache": "HIT", "Age": "3"}
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert (answer.headers["X-Cache"], answer.headers["Age"]) == ("HIT", "3")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.body is not None
    assert answer.body.startswith('data: {"id":"chatcmpl-')
    assert answer.body.endswith("\n\ndata: [DONE]\n\n")


def test_a_refusal_and_its_log_probabilities() -> None:
    said = "I am sorry, but no."
    whole = completion(
        choice({"refusal": said}, logprobs={"content": None, "refusal": [token(character) for character in said]})
    )
    chunks = list(completion_chunks(whole, include_usage=True))
    assert len(chunks) > 3
    for chunk in chunks:
        assert_valid(chunk, SCHEMA)
    assert comparable(folded(chunks)) == comparable(whole)
    refused = create({"model": MODEL, **CHATS[0]}, now=1, change=lambda _: Reply(refusal="No."))
    assert comparable(folded(list(completion_chunks(refused, include_usage=True)))) == comparable(refused)


def test_what_a_chunk_has_no_place_for_comes_with_the_first() -> None:
    whole = completion(
        choice({"content": "Hi", "annotations": [{"type": "url_citation"}], "reasoning_content": "hm"}, filtered=False),
        choice({"content": "Ho"}, 1),
        omoide={"cache": {"status": "hit"}},
        moderation=None,
        system_fingerprint=None,
    )
    first, *others = completion_chunks(whole, include_usage=True)
    assert (first["omoide"], first["moderation"]) == (whole["omoide"], None)
    assert not any("omoide" in chunk for chunk in others)
    assert "system_fingerprint" not in first
    delta = first["choices"][0]["delta"]
    assert delta == {
        "role": "assistant",
        "content": "",
        "refusal": None,
        "annotations": [{"type": "url_citation"}],
        "reasoning_content": "hm",
    }
    assert others[0]["choices"][0]["delta"] == {"content": "Hi"}
    assert others[1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop", "filtered": False}


def test_a_custom_tools_input_comes_in_deltas() -> None:
    given = "SELECT name, born FROM people WHERE born > 1970"
    call = {"id": "call_1", "type": "custom", "custom": {"name": "sql", "input": given}}
    whole = completion(choice({"tool_calls": [call]}, reason="tool_calls"))
    chunks = list(completion_chunks(whole, include_usage=True))
    assert len(chunks) > 4
    assert comparable(folded(chunks)) == comparable(whole)


texts = st.text(max_size=80) | st.sampled_from(["東京の天気は晴れです。 The sky is clear." * 4, ""])
calls = st.lists(
    st.builds(
        lambda name, arguments: {
            "id": "call_1",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        },
        st.text(max_size=5),
        texts,
    ),
    min_size=1,
    max_size=3,
)
messages = st.one_of(
    st.builds(lambda text: {"content": text}, texts),
    st.builds(lambda text: {"refusal": text}, texts),
    st.builds(lambda text, given: {"content": text, "tool_calls": given}, st.none() | texts, calls),
)


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    made = []
    for index in range(draw(st.integers(1, 3))):
        message = draw(messages)
        said = message.get("content")
        logprobs = {"content": [token(character) for character in said], "refusal": None} if said else None
        made.append(choice(message, index, draw(st.sampled_from(["stop", "length"])), logprobs=logprobs))
    return completion(*made)


@given(completions())
def test_the_chunks_put_together_are_the_completion(whole: dict[str, Any]) -> None:
    before = copy.deepcopy(whole)
    chunks = list(completion_chunks(whole, include_usage=True))
    assert whole == before
    assert comparable(folded(chunks)) == comparable(whole)
    assert list(completion_chunks(whole, include_usage=True)) == chunks


@given(completions())
@settings(max_examples=30)
def test_every_chunk_is_openais(whole: dict[str, Any]) -> None:
    for chunk in completion_chunks(whole, include_usage=True):
        assert_valid(chunk, SCHEMA)
