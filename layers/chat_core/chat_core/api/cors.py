"""Which web pages may read an answer (WHATWG Fetch, "HTTP extensions"). The gateway answers what they ask before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chat_core.api.headers import event_header

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPOSED = (
    "x-request-id",
    "X-Cache",
    "Cache-Status",
    "Age",
    "Server-Timing",
    "Idempotent-Replayed",
    "retry-after-ms",
    "retry-after",
    "x-should-retry",
)
"""What a page may read beside the headers that each may."""


def cors_headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Make the headers that let the page behind a request read its answer; none where it may not.

    ``ALLOWED_ORIGINS`` names the origins, separated by commas; ``*`` allows all, and nothing allows none.
    """
    allowed = {origin for part in os.environ.get("ALLOWED_ORIGINS", "").split(",") if (origin := part.strip())}
    if not allowed:
        return {}
    exposed = {"Access-Control-Expose-Headers": [",".join(EXPOSED)]}
    if "*" in allowed:
        return {"Access-Control-Allow-Origin": ["*"], **exposed}
    origin = event_header(event, "origin") or ""
    # What a cache keeps for one page is not for another.
    varies = {"Vary": ["Origin"]}
    known = {one.rstrip("/").lower() for one in allowed}
    if origin.lower() not in known:
        return varies
    return {"Access-Control-Allow-Origin": [origin], **exposed, **varies}
