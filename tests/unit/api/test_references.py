from __future__ import annotations

from typing import Any

import pytest

from chat_core.api.references import check_provider_references
from chat_core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "input[0].content[0].file_id",
        ),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "tools[0].vector_store_ids"),
        ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "tools[0].container"),
        ({"tools": [{"type": "mcp", "server_url": "https://mcp.example"}]}, "tools[0].server_url"),
        ({"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}, "messages[0].audio.id"),
        ({"tools": [{"type": "mcp", "connector_id": "connector_x"}]}, "tools[0].connector_id"),
    ],
)
def test_references_to_the_providers_objects_are_refused(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_provider_references(body)
    assert (caught.value.param, caught.value.code) == (param, "provider_reference_not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        {"input": "file_id"},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,", "file_id": None}]}]},
        {"tools": [{"type": "function", "name": "f", "parameters": {"properties": {"file_id": {"type": "string"}}}}]},
        {"metadata": {"container": "blue"}},
        {"text": {"format": {"type": "json_schema", "schema": {"properties": {"server_url": {}}}}}},
        {"prompt": None},
        {"modalities": ["audio"], "audio": {"voice": "alloy", "format": "wav"}, "messages": [{"audio": None}]},
        {"zz": {"type": ["item_reference"]}, "output_schema": {"type": {"item_reference": 1}}},
    ],
)
def test_what_only_looks_like_a_reference_is_not(body: dict[str, Any]) -> None:
    check_provider_references(body)
