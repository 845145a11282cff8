"""OpenAI's compaction: the user's messages as they are, and one opaque item of all that the others said."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

from local.model.conversation import fingerprint, read_model, read_text
from local.model.errors import bad_request, refusing
from local.model.usage import responses_input, text_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = ("user", "system", "developer")


@refusing
def create(body: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Compact a conversation.

    Parameters
    ----------
    now
        The time that the answer bears, in Unix seconds.

    Raises
    ------
    ApiError
        The request is not one that OpenAI would answer.
    """
    read_model(body)
    asked = body.get("input")
    if not asked or not isinstance(asked, str | list):
        raise bad_request("'input' is missing or empty.", "input", "missing_required_parameter")
    items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    request = fingerprint(body)
    kept, said = [], []
    for place, item in enumerate(items):
        param = f"input[{place}]"
        if not isinstance(item, dict):
            raise bad_request("An input item is an object.", param, "invalid_type")
        if item.get("type", "message") == "message" and item.get("role") in _KEPT:
            kept.append(_message(item, f"msg_{request[:40]}{place:02d}", param))
        elif text := _text(item, param):
            said.append(text)
    sealed = {"id": f"cmp_{request[:40]}", "type": "compaction", "encrypted_content": _sealed(said)}
    sent, made = responses_input(body), sum(text_tokens(text, body["model"]) for text in said)
    return {
        "id": f"resp_{request[:40]}",
        "object": "response.compaction",
        "created_at": now,
        "output": [*kept, sealed],
        "usage": {
            "input_tokens": sent,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sent + made,
        },
    }


def unsealed(content: object) -> str | None:
    """Read what a compaction item holds; None if none of ours made it."""
    try:
        text = zlib.decompress(base64.b64decode(str(content), validate=True)).decode()
        return "\n".join(map(str, json.loads(text)))
    except (ValueError, TypeError, zlib.error):
        return None


def _sealed(texts: list[str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(texts, ensure_ascii=False).encode())).decode()


def _message(item: Mapping[str, Any], name: str, param: str) -> dict[str, Any]:
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    read_text(content, f"{param}.content")
    return {"id": name, "status": "completed", **item, "type": "message", "content": content}


def _text(item: Mapping[str, Any], param: str) -> str | None:
    """Give the text of an item that is not kept; what an earlier compaction holds stays."""
    kind = item.get("type", "message")
    if kind == "compaction":
        return unsealed(item.get("encrypted_content"))
    if kind == "message":
        return read_text(item.get("content"), f"{param}.content")
    return str(item.get("output") or item.get("arguments") or "") or None
