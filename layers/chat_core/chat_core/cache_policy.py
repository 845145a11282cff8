"""Whether a reply may come from the cache and may be kept in it: pure rules, each decision with its reason.

The request's directives are those of RFC 9111, 5.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_AGE_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Directives:
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
    """

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    only_if_cached: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
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


def parse_cache_control(text: str | None) -> Directives:
    """Read ``Cache-Control``; what is not well formed is ignored, as RFC 9111 4.2.1 and 5.2 have it.

    Examples
    --------
    >>> parse_cache_control("max-age=60, no-store")
    Directives(no_cache=False, no_store=True, max_age=60, only_if_cached=False)
    """
    found: dict[str, str] = {}
    for directive in (text or "").split(","):
        name, _, value = directive.strip().partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    age = found.get("max-age", "")
    return Directives(
        no_cache="no-cache" in found,
        no_store="no-store" in found,
        max_age=min(int(age), MAX_AGE_LIMIT) if age.isascii() and age.isdigit() else None,
        only_if_cached="only-if-cached" in found,
    )


def decide(body: Mapping[str, Any], directives: Directives) -> Decision:
    """Decide for a request to the Responses API.

    Parameters
    ----------
    body
        The effective request: what would go to the model.
    directives
        The caller's wishes.
    """
    if body.get("store") is True:
        return Decision(read=False, write=False, reason="store")
    if any(_runs_at_provider(tool) for tool in body.get("tools") or ()):
        return Decision(read=False, write=False, reason="provider-tools")
    if body.get("temperature") and directives.max_age is None:
        return Decision(read=False, write=False, reason="temperature")
    return Decision(read=not directives.no_cache, write=not directives.no_store)


def _runs_at_provider(tool: object) -> bool:
    return isinstance(tool, dict) and tool.get("type") not in ("function", "custom")


def storable(response: Mapping[str, Any]) -> bool:
    """Tell whether a response is whole: never a refusal, an empty, cut, filtered or failed answer."""
    if response.get("status") != "completed" or response.get("error") or response.get("incomplete_details"):
        return False
    output = response.get("output") or ()
    parts = [part for item in output if item.get("type") == "message" for part in item.get("content") or ()]
    if any(part.get("type") == "refusal" for part in parts):
        return False
    calls = any(str(item.get("type")).endswith("_call") for item in output)
    return calls or any(part.get("text") for part in parts)
