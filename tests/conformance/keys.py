"""Cases of cache keys: two requests have the same key, or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.keys import SCHEMA, Uncacheable, response_key
from tests.conformance.cases import Outcome

if TYPE_CHECKING:
    from tests.conformance.cases import Case

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_SCOPE = "tenant"


def run(case: Case) -> Outcome:
    """Compare the keys of a case's two requests."""
    keys = [_key(case[f"request_{side}"], case.get(f"context_{side}") or {}) for side in "ab"]
    same = keys[0] == keys[1]
    if same is case["same_key"] and not any(key.startswith("Uncacheable") for key in keys):
        return Outcome("passed")
    expected = "the same key" if case["same_key"] else "two keys"
    return Outcome("failed", (f"expected {expected}", f"got a {keys[0]}", f"got b {keys[1]}"))


def _key(request: dict[str, Any], context: dict[str, Any]) -> str:
    try:
        return response_key(
            context.get("endpoint", "chat/completions"),
            request,
            scope=context.get("tenant", DEFAULT_SCOPE),
            base_url=context.get("base_url", DEFAULT_BASE_URL),
            api_version=context.get("api_version", ""),
            epoch=context.get("epoch", 0),
            schema=context.get("schema_version", SCHEMA),
        )
    except Uncacheable as error:
        return f"Uncacheable: {error}"
