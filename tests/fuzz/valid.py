"""What each route takes: the requests that are then broken."""

from __future__ import annotations

from typing import Any

TOOL = {
    "type": "function",
    "name": "weather",
    "description": "Tell the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["京都", "奈良"]}}},
    "strict": True,
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"京都"}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "晴れ"}]}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}
ITEMS = [
    {"type": "message", "role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "hi 👋"}, IMAGE]},
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "…"}],
        "encrypted_content": "gAAA",
    },
    CALL,
    RESULT,
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "晴れ", "annotations": []}]},
    {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AA=="},
    {"type": "new_kind_of_item", "any": {"thing": [1, 2.5, None]}},
]
MEMORY = {"policy": "token_window", "max_tokens": 3000, "clear_tool_results": {"keep": 1}}
RESPONSE = {
    "model": "gpt-4.1-mini",
    "conversation": {"id": "known"},
    "input": ITEMS,
    "instructions": "Answer in English.",
    "memory": MEMORY,
    "metadata": {"topic": "weather"},
    "temperature": 0,
    "top_p": 1,
    "max_output_tokens": 100,
    "store": False,
    "stream": True,
    "stream_options": {"include_obfuscation": False},
    "tools": [TOOL],
    "tool_choice": "auto",
    "text": {"format": {"type": "json_schema", "name": "answer", "schema": {"type": "object", "properties": {}}}},
    "reasoning": {"effort": "low"},
    "include": ["reasoning.encrypted_content"],
    "truncation": "disabled",
    "output_schema": {"type": ["string", "null"]},
}
COMPLETION = {
    "model": "gpt-4.1-mini",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "晴れ"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": TOOL["parameters"]}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
    "temperature": 0.0,
    "n": 1,
    "stop": ["\n"],
    "logit_bias": {"50256": -100},
    "stream": True,
    "stream_options": {"include_usage": True},
    "logprobs": True,
    "top_logprobs": 2,
    "metadata": {"topic": "weather"},
}
# ``<resp>`` and the like stand for an id that begins so.
BODIES: dict[tuple[str, str], list[Any]] = {
    ("POST", "/v1/responses"): [
        RESPONSE,
        {"model": "gpt-4.1-mini", "conversation": "known", "input": "hi"},
        {"input": ITEMS, "tools": [TOOL]},
        {"input": "hi", "conversation": "known", "memory": {"dry_run": True, "policy": "buffer"}},
        {"input": "hi", "conversation": "known", "memory": {"read_only": True}},
        {"input": "hi", "previous_response_id": "<resp>", "store": True},
        {
            "input": [{"type": "item_reference", "id": "<msg>"}, {"role": "user", "content": "hi"}],
            "conversation": "known",
        },
    ],
    ("POST", "/v1/chat/completions"): [COMPLETION, {"messages": [{"role": "user", "content": "hi"}]}],
    ("POST", "/v1/embeddings"): [
        {"model": "text-embedding-3-small", "input": ["a", "b", "日本"], "dimensions": 8, "encoding_format": "base64"},
        {"model": "text-embedding-3-small", "input": [[1, 2, 3], [4]]},
        {"model": "text-embedding-3-small", "input": [1, 2, 3]},
    ],
    ("POST", "/v1/responses/input_tokens"): [
        RESPONSE,
        {"input": ITEMS, "tools": [TOOL]},
        {"conversation": "known"},
        {"previous_response_id": "<resp>", "input": "hi"},
        {"instructions": "Be brief."},
    ],
    ("POST", "/v1/responses/compact"): [
        {"model": "gpt-4.1-mini", "input": ITEMS, "instructions": "Be brief.", "prompt_cache_key": "k"},
        {"model": "gpt-4.1-mini", "input": "hi"},
        {"model": "gpt-4.1-mini", "previous_response_id": "<resp>"},
    ],
    ("POST", "/v1/conversations"): [
        {"metadata": {"title": "旅行"}, "items": ITEMS[:2], "memory": MEMORY},
        {"omoide": {"fork": {"conversation": "<conv>", "after": "<msg>"}}, "metadata": {"title": "旅行"}},
    ],
    ("POST", "/v1/conversations/{conversation_id}"): [{"metadata": {"title": "x"}, "memory": {"max_messages": 3}}],
    ("POST", "/v1/conversations/{conversation_id}/context"): [
        {"compare": [{}, MEMORY, {"policy": "summary_window", "max_tokens": 500}], "model": "gpt-4.1-mini"},
        {"compare": [{"policy": "message_window", "recall": {"k": 3}, "entities": True}]},
    ],
    ("POST", "/v1/conversations/{conversation_id}/memory"): [{"rebuild": True}],
    ("POST", "/v1/memory/facts/{fact_id}"): [
        {"version": 1, "object_value": "京都", "pinned": True, "valid_to": "2027-01-01"},
        {"version": 2, "valid_to": "2027"},
    ],
    ("POST", "/v1/conversations/{conversation_id}/items"): [{"items": ITEMS}, {"items": [CALL, RESULT]}],
}
# Of a route that takes no body: what one may hold all the same.
ANY_BODY = {
    "input": ITEMS,
    "model": "gpt-4.1-mini",
    "id": "x",
    "metadata": {"a": "b"},
    "memory": MEMORY,
    "type": "message",
}
