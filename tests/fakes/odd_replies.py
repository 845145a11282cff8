"""What a provider that speaks OpenAI's API but loosely might answer: good replies, each changed in a few odd ways."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from chat_core.api.streams import completion_chunks, response_events

if TYPE_CHECKING:
    from chat_core.keys import Endpoint

_LOG_PROBABILITY = {"token": "Hi", "bytes": [72, 105], "logprob": -0.1, "top_logprobs": []}
_OUTPUT: list[dict[str, Any]] = [
    {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Thinking."}]},
    {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [
            {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": [_LOG_PROBABILITY]},
            {"type": "refusal", "refusal": "No."},
        ],
    },
    {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"},
    {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_2", "name": "g", "input": "x"},
    {"id": "mcp_1", "type": "mcp_call", "server_label": "s", "name": "h", "arguments": "{}", "output": "out"},
    {"id": "ci_1", "type": "code_interpreter_call", "container_id": "c", "code": "1", "outputs": None},
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
]
_USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "input_tokens_details": {"cached_tokens": 0}}
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "model": "fake",
    "usage": _USAGE,
    "metadata": {"a": "b"},
    "tools": [{"type": "function", "name": "f"}],
    "incomplete_details": None,
}
_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "fake",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": {"content": [_LOG_PROBABILITY], "refusal": None},
            "message": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
_EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
    "model": "fake",
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}

DEEP: Any = "bottom"
for _ in range(400):
    DEEP = [DEEP]

_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**400, float("nan"), float("inf"), float("-inf")),
    *("", "cut \ud83d", "\ude00\ud83d", "\ud83d\ude00", "\x00", "語" * 50, "system", "in_progress", "failed"),
    *([], {}, [[]], [None], ["x"], [1], [{}], [{"type": []}], {"type": {}}, [{"type": "text", "text": 3}], DEEP),
    *([{"type": "output_text", "text": "a\ud83db"}], {"cut \ud83d": float("nan")}, [{"type": "\ud83d"}]),
]
_REMOVED = object()


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of every member of a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, ...]] = []
    for name, member in list(members):
        found += [(*path, name), *_places(member, (*path, name))]
    return found


def _changed(reply: dict[str, Any], changes: list[tuple[int, Any]]) -> str:
    reply = deepcopy(reply)
    for number, odd in changes:
        places = [place for place in _places(reply) if len(place) < 12]
        if not places:
            break
        *path, last = places[number % len(places)]
        holder: Any = reply
        for step in path:
            holder = holder[step]
        if odd is _REMOVED:
            del holder[last]
        else:
            holder[last] = deepcopy(odd)
    return json.dumps(reply)


_changes = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([*_ODD, *[_REMOVED] * 5])), min_size=1, max_size=4
)
_outputs = st.lists(st.sampled_from(_OUTPUT), min_size=1, max_size=3)
_whole = st.sampled_from([json.dumps(odd) for odd in _ODD])


def odd_events(endpoint: Endpoint) -> st.SearchStrategy[list[Any]]:
    """Draw what a provider streams, with a few odd changes: events of a response, chunks of a chat completion."""

    def changed(output: list[dict[str, Any]], changes: list[tuple[int, Any]]) -> list[Any]:
        if endpoint == "responses":
            events = list(response_events({**_RESPONSE, "output": output}))
        else:
            events = list(completion_chunks(_COMPLETION, include_usage=True))
        found = json.loads(_changed({"events": events}, changes)).get("events")
        return found if isinstance(found, list) else []

    return st.builds(changed, _outputs, _changes)


def odd_replies(endpoint: Endpoint) -> st.SearchStrategy[str]:
    """Draw odd replies of an endpoint, as the JSON that the provider sends."""
    if endpoint == "responses":
        good = st.builds(lambda output: {**_RESPONSE, "output": output}, _outputs)
    else:
        good = st.just(_COMPLETION if endpoint == "chat/completions" else _EMBEDDINGS)
    return st.builds(_changed, good, _changes) | _whole


def response(text: str) -> dict[str, Any]:
    """Give a good response that says a text."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}
    return {**_RESPONSE, "output": [item]}


def completion(text: str) -> dict[str, Any]:
    """Give a good chat completion that says a text."""
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": {"role": "assistant", "content": text}}
    return {**_COMPLETION, "choices": [choice]}
