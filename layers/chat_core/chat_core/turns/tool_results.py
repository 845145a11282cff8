"""Tool results answer calls: one that answers none would make every later request invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.errors import InvalidRequest
from chat_core.messages import from_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chat_core.history import Head, History, StoredItem
    from chat_core.messages import Item, Message
    from chat_core.turns.item_references import NewItems
    from chat_core.turns.past import Past

RESULTS_REACH = 200
"""How many items lie between a call and its result at most."""


def check_tool_results(given: Sequence[Item], known: Iterable[Message], *, at: str, first: int = 0) -> None:
    """Refuse tool results whose call is neither among the given items before them nor known.

    Parameters
    ----------
    given
        The caller's items.
    known
        Messages that the conversation has.
    at, first
        The parameter that holds the items, and the place of the first of them in it.

    Raises
    ------
    InvalidRequest
        With the path of the first result without a call.
    """
    results = [place for place, item in enumerate(given) if answered_call(item)]
    if not results:
        return
    calls = {call.id for message in known for call in message.tool_calls}
    for place, item in enumerate(given):
        calls |= calls_of(item)
        if (answered := answered_call(item)) and answered not in calls:
            raise InvalidRequest(
                "This tool result answers no call of the conversation.",
                param=f"{at}[{first + place}].call_id",
                code="tool_call_not_found",
            )


async def check_answers(history: History, head: Head, given: NewItems, past: Past) -> None:
    """Refuse tool results of an input that answer no call of the conversation's newest `RESULTS_REACH` items.

    How far back they are looked for does not depend on what a view happened to need of the history.

    Raises
    ------
    InvalidRequest
        As `check_tool_results`.
    """
    try:
        check_tool_results(given.items, past.messages, at="input", first=given.first)
    except InvalidRequest:
        if past.earlier.whole:
            raise
        tail = await history.tail(head, before=head.seq + 1, limit=RESULTS_REACH)
        known = from_items(stored.item for stored in tail)
        check_tool_results(given.items, known, at="input", first=given.first)


def results_of(item: Item, following: Iterable[StoredItem]) -> list[int]:
    """Find the results of the calls that an item makes, up to where a call's id is used anew.

    Parameters
    ----------
    following
        What stands behind the item, in order.

    Returns
    -------
    list of int
        Their seqs.
    """
    calls = calls_of(item)
    found = []
    for later in following if calls else ():
        if answered_call(later.item) in calls:
            found.append(later.seq)
        calls -= calls_of(later.item)
    return found


def calls_of(item: Item) -> set[str]:
    """Name the calls that an item makes."""
    return {call.id for message in from_items([item]) for call in message.tool_calls}


def answered_call(item: Item) -> str:
    """Name the call whose result an item is; empty where it is none."""
    return from_items([item])[0].tool_call_id
