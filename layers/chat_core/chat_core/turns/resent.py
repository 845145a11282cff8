"""Tool loops that send the caller's own items once more at each step, without ids: results tell where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.messages import stored_item
from chat_core.turns.tool_results import answered_call, calls_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.messages import Item


def may_be_resent(given: Sequence[Item]) -> bool:
    """Tell whether an input has tool results and other items: no other one is worth a look at the history."""
    results = sum(1 for item in given if answered_call(item))
    return 0 < results < len(given)


def resent(given: Sequence[Item], stored: Sequence[Item]) -> int:
    """Count the first items of an input that the conversation has.

    They are those before a result that answers a call still without one, or up to a result that is stored already;
    and only if the history up to there ends in the very same items, but for what a model wrote in between. An input
    that would have nothing new counts with its last result.

    Parameters
    ----------
    given
        The input.
    stored
        The conversation's newest items, in order.
    """
    ours, theirs = [_bare(item) for item in stored], [_bare(item) for item in given]
    calls: dict[str, int] = {}
    results: dict[str, int] = {}
    for place, item in enumerate(stored):
        if answered := answered_call(item):
            results[answered] = place
        for call in calls_of(item):
            calls[call] = place
            results.pop(call, None)  # an id that is used anew
    for count in range(len(given) - 1, 0, -1):
        last, following = answered_call(given[count - 1]), answered_call(given[count])
        if last in results and _ends_in(ours[: results[last] + 1], theirs[:count]):
            return count
        if following in calls and following not in results:
            until = _next_from_caller(stored, calls[following])
            if _ends_in(ours[:until], theirs[:count]):
                return count
    return 0


def _ends_in(stored: Sequence[Item], given: Sequence[Item]) -> bool:
    """Tell whether all given items stand at the end, in order, with none of the caller's between or behind them."""
    left = len(given)
    for item in reversed(stored):
        if not left:
            break
        if item == given[left - 1]:
            left -= 1
        elif not _is_models(item):
            break
    return not left


def _next_from_caller(stored: Sequence[Item], place: int) -> int:
    behind = range(place + 1, len(stored))
    return next((seq for seq in behind if not _is_models(stored[seq])), len(stored))


def _is_models(item: Item) -> bool:
    kind = str(item.get("type", "message"))
    if kind == "message":
        return item.get("role") == "assistant"
    return kind == "reasoning" or bool(calls_of(item))


def _bare(item: Item) -> Item:
    """Give an item as it is stored, without what the store or the provider adds."""
    return {name: value for name, value in stored_item(item).items() if name not in ("id", "status")}
