"""A list of models, or a compaction, checked and made whole: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.errors import UpstreamError
from chat_core.model.whole import mended
from chat_core.model.whole_items import NoAnswer, text_of, time_of, whole_item
from chat_core.model.whole_response import whole_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE = "The model's provider answered what is none of its answers."
_OTHERS = ("user", "system", "developer")


def whole_models(answer: object) -> list[dict[str, Any]]:
    """Give the models of a list as OpenAI's objects; what has no id is left out.

    Raises
    ------
    UpstreamError
        If it is no list of models.
    """
    try:
        return [_whole_model(one) for one in _listed(answer, "data")[1] if _is_named(one)]
    except NoAnswer:
        raise UpstreamError(_NONE) from None


def whole_compaction(answer: object, *, now: int) -> dict[str, Any]:
    """Make a compaction whole.

    Parameters
    ----------
    now
        Seconds since the epoch.

    Raises
    ------
    UpstreamError
        If it is none.
    """
    try:
        found, output = _listed(answer, "output")
        return {
            **found,
            "id": text_of(found, "id", default=f"resp_{uuid4().hex}"),
            "object": "response.compaction",
            "created_at": time_of(found.get("created_at"), now),
            "output": [_whole(item) for item in output],
            "usage": whole_usage(found.get("usage")),
        }
    except NoAnswer:
        raise UpstreamError(_NONE) from None


def _listed(answer: object, name: str) -> tuple[dict[str, Any], list[Any]]:
    """Give an answer, and the list that it holds."""
    found = mended(answer)
    if not isinstance(found, dict) or not isinstance(found.get(name), list):
        raise NoAnswer
    return found, found[name]


def _is_named(model: object) -> bool:
    return isinstance(model, dict) and isinstance(model.get("id"), str) and bool(model["id"])


def _whole_model(model: Mapping[str, Any]) -> dict[str, Any]:
    owner = model.get("owned_by")
    return {
        **model,
        "object": "model",
        "created": time_of(model.get("created"), 0),
        "owned_by": owner if isinstance(owner, str) and owner else "unknown",
    }


def _whole(item: Any) -> dict[str, Any]:
    """Make an item whole; unlike a reply, a compaction holds what others than the model said."""
    role = item.get("role") if isinstance(item, dict) else None
    if role not in _OTHERS:
        return whole_item(item)
    content = item.get("content")
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise NoAnswer
    defaults = {"type": "message", "id": f"msg_{uuid4().hex}", "status": "completed"}
    return {**defaults, **{name: value for name, value in item.items() if value is not None}, "content": parts}
