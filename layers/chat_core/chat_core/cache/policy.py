"""Whether a reply may come from the cache and may be kept in it: pure rules, each decision with its reason.

The request's directives are those of RFC 9111, 5.2.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chat_core.keys import Endpoint

MAX_AGE_LIMIT = 2**31
"""What RFC 9111, 1.2.2 takes a larger number of seconds for."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2
_DIRECTIVE = re.compile(rf'\s*({_TOKEN})(?:=(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})))?\s*')
_MEMBERS = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
_SECONDS = re.compile(r"-?[0-9]+")
_WHOLE = frozenset({"stop", "tool_calls", "function_call"})
_CALLERS_OWN_TOOLS = frozenset({"function", "custom"})


class Directives(NamedTuple):
    """A request's ``Cache-Control``.

    Parameters
    ----------
    no_cache
        Take no stored reply, but store the new one.
    no_store
        Store nothing; a stored reply may still be taken.
    max_age
        Take no reply older than this, in seconds; None for any age.
    only_if_cached
        Take a stored reply or none.
    clamped
        Whether ``max_age`` is not what the request said: that was negative or absurd.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    only_if_cached: bool = False
    clamped: bool = False


class Decision(NamedTuple):
    """What the cache may do for a request.

    Parameters
    ----------
    read, write
        Whether a stored reply may be taken and the new one stored.
    reason
        Why it is bypassed: a short word for ``Cache-Status`` and metrics, empty when it is not.
    """

    read: bool
    write: bool
    reason: str = ""

    @property
    def bypass(self) -> bool:
        """Whether the cache has no part in this request."""
        return bool(self.reason)

    @classmethod
    def to_bypass(cls, reason: str) -> Decision:
        """Decide to go past the cache."""
        return cls(read=False, write=False, reason=reason)

    @classmethod
    def by_directives(cls, directives: Directives) -> Decision:
        """Decide for a request that nothing keeps from the cache but what its caller wishes."""
        return cls(read=not directives.no_cache and directives.max_age != 0, write=not directives.no_store)


def parse_cache_control(text: str | None) -> Directives:
    """Read ``Cache-Control``; what is not well formed is ignored, as RFC 9111 4.2.1 and 5.2 have it.

    Examples
    --------
    >>> parse_cache_control("max-age=60, no-store")
    Directives(no_cache=False, no_store=True, max_age=60, only_if_cached=False, clamped=False)
    """
    found: dict[str, str] = {}
    for member in _MEMBERS.findall(text or ""):
        if directive := _DIRECTIVE.fullmatch(member):
            found.setdefault(directive[1].lower(), directive[2] or directive[3] or "")
    said = found.get("max-age", "")
    # Whole numbers of any length: one with thousands of digits is never converted.
    seconds = _clamp(said) if _SECONDS.fullmatch(said) else None
    return Directives(
        no_cache="no-cache" in found,
        no_store="no-store" in found,
        max_age=seconds,
        only_if_cached="only-if-cached" in found,
        clamped=seconds is not None and str(seconds) != (said.lstrip("0") or "0"),
    )


def _clamp(said: str) -> int:
    if said.startswith("-"):
        return 0
    return MAX_AGE_LIMIT if len(said.lstrip("0")) > 10 else min(int(said), MAX_AGE_LIMIT)


def decide(body: Mapping[str, Any], directives: Directives) -> Decision:
    """Decide for a request.

    Parameters
    ----------
    body
        The effective request: what would go to the model.
    directives
        The caller's wishes.
    """
    if body.get("web_search_options") is not None:
        return Decision.to_bypass("web-search")
    if any(_runs_at_provider(tool) for tool in body.get("tools") or ()):
        return Decision.to_bypass("provider-tools")
    if (body.get("n") or 1) > 1:
        return Decision.to_bypass("choices")
    if body.get("temperature") and directives.max_age is None:
        return Decision.to_bypass("temperature")
    return Decision.by_directives(directives)


def _runs_at_provider(tool: object) -> bool:
    return isinstance(tool, dict) and tool.get("type") not in _CALLERS_OWN_TOOLS


def forward_reason(*, stored_at: float, expires_at: float, now: float, directives: Directives) -> str:
    """Tell why a stored reply may not be taken, in the words of RFC 9211's ``fwd``; empty when it may.

    Parameters
    ----------
    stored_at, expires_at, now
        Seconds since the epoch.
    """
    if now >= expires_at:
        return "stale"
    if directives.max_age is not None and max(0.0, now - stored_at) >= directives.max_age:
        return "request"
    return ""


def storable(endpoint: Endpoint, answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer is whole: never a refusal, an empty, cut, filtered or failed one."""
    return _response_is_whole(answer) if endpoint == "responses" else _completion_is_whole(answer)


def _response_is_whole(response: Mapping[str, Any]) -> bool:
    if response.get("status") != "completed" or response.get("error") or response.get("incomplete_details"):
        return False
    output = _objects(response.get("output"))
    parts = [part for item in output if item.get("type") == "message" for part in _objects(item.get("content"))]
    if any(part.get("type") == "refusal" for part in parts):
        return False
    calls = any(str(item.get("type")).endswith("_call") for item in output)
    return calls or any(part.get("text") for part in parts)


def _completion_is_whole(completion: Mapping[str, Any]) -> bool:
    choices = _objects(completion.get("choices"))
    return bool(choices) and all(_choice_is_whole(choice) for choice in choices)


def _choice_is_whole(choice: Mapping[str, Any]) -> bool:
    message = choice.get("message")
    if choice.get("finish_reason") not in _WHOLE or not isinstance(message, dict) or message.get("refusal"):
        return False
    return any(message.get(name) for name in ("content", "tool_calls", "function_call"))


def _objects(values: Iterable[object] | None) -> list[dict[str, Any]]:
    return [value for value in values or () if isinstance(value, dict)]
