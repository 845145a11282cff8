"""Answers that no cache in front may keep: JSON, or server-sent events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


def to_json(value: object) -> str:
    """Write JSON, compact, with text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str | list[str]] | None = None
) -> Response[str]:
    """Make an answer that no cache in front may keep."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=to_json(body),
        headers={"Cache-Control": "private, no-store", **(headers or {})},
    )


def event_stream(
    frames: str | AsyncIterator[str], *, headers: Mapping[str, str | list[str]] | None = None
) -> Response[Any]:
    """Make an answer of server-sent events that no cache in front may keep.

    Parameters
    ----------
    frames
        All of them, or one after the other as they come.
    """
    return Response(
        status_code=200,
        content_type="text/event-stream; charset=utf-8",
        body=frames,
        headers={"Cache-Control": "private, no-store", **(headers or {})},
    )
