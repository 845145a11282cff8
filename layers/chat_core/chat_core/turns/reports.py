"""What a turn's answer tells beside OpenAI's members: our own, as the README has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from chat_core.cache import CacheReport


class MemoryReport(TypedDict):
    """``omoide.memory``: what the view left of the history.

    ``tokens`` are by part, None where nothing had to be counted; ``retained`` and ``evicted`` are numbers of messages;
    ``stale`` says that long-term memory is behind; ``recalled`` and ``facts`` are ids of what was brought up, and
    ``degraded`` says how recall had to do: ``lexical_only`` without vectors, ``unavailable`` not at all.
    """

    policy: str
    tokens: dict[str, int] | None
    retained: int
    evicted: int
    over_budget: bool
    stale: bool
    recalled: NotRequired[list[str]]
    degraded: NotRequired[str | None]
    facts: NotRequired[list[str]]


class TurnReport(TypedDict):
    """``omoide`` of a turn's answer."""

    turn_id: str
    cache: CacheReport
    memory: MemoryReport
