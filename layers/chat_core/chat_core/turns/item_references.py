"""What a request says of items that are stored already: references, and items that are sent once more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.errors import InvalidRequest, NotFound
from chat_core.keys import Address, id_of, parse_item_id
from chat_core.turns.resent import may_be_resent, resent
from chat_core.turns.tool_results import RESULTS_REACH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.history import Head, History, ResponseStore
    from chat_core.messages import Item
    from chat_core.turns.sources import Sources


def is_reference(item: Mapping[str, Any]) -> bool:
    """Tell a reference to an item of this service's from everything else: such an id is nobody else's."""
    return item.get("type") == "item_reference" and parse_item_id(item.get("id")) is not None


class NewItems(NamedTuple):
    """What an input adds to a conversation.

    Parameters
    ----------
    items
        The new ones, without references.
    first
        Place of the first of them in the input.
    """

    items: tuple[Item, ...]
    first: int = 0


async def new_items(sources: Sources, head: Head, given: Sequence[Item]) -> NewItems:
    """Tell what is new of an input: what follows on the last item that the conversation has.

    A client that keeps the transcript itself sends it once more: items by reference or with their ids, and among them
    its own messages, which have none. In a tool loop it may send only its own items, all without ids: see `resent`.
    References to what is stored elsewhere are replaced by the items.

    Raises
    ------
    InvalidRequest
        With the place of the first reference to what is not there; or of the input, if nothing in it is new.
    """
    places = {place: seq for place, item in enumerate(given) if (seq := _seq_in(head, item))}
    references = {place: seq for place, seq in places.items() if is_reference(given[place])}
    if references:
        stored = await sources.history.items_at(head, references.values())
        there = {one.seq: one.item for one in stored}
        for place, seq in references.items():
            if seq not in there or not _names(given[place]["id"], there[seq]):
                raise _no_item(place)
    first = max(places, default=-1) + 1
    if given and first == len(given):
        raise InvalidRequest("The input only refers to what the conversation already has.", param="input")
    if head.seq and may_be_resent(given[first:]):
        tail = await sources.history.tail(head, before=head.seq + 1, limit=RESULTS_REACH)
        first += resent(given[first:], [one.item for one in tail])
    fresh = await dereferenced(sources.history, sources.responses, head.address.user, given[first:], first=first)
    return NewItems(tuple(fresh), first)


def _seq_in(head: Head, item: Mapping[str, Any]) -> int:
    """Tell the place of an item that a conversation has had, by its id; 0 for every other one.

    A branch has its origin's items at their places, so it knows them by the origin's ids, too.
    """
    parsed = parse_item_id(item.get("id"))
    if parsed is None:
        return 0
    incarnation, seq = parsed
    shared = head.seq if incarnation == head.incarnation else head.origins.get(incarnation, 0)
    return seq if seq <= min(shared, head.seq) else 0


def _names(name: str, item: Item) -> bool:
    """Tell whether an id is an item's, in its own conversation or in one that this one comes from."""
    incarnation, seq = parse_item_id(name) or ("", 0)
    return name == id_of(item, incarnation, seq)


async def dereferenced(
    history: History, responses: ResponseStore, user: str, given: Sequence[Item], *, first: int = 0
) -> list[Item]:
    """Replace references by the user's own items that they name.

    Parameters
    ----------
    first
        Place of the first item in the request.

    Raises
    ------
    InvalidRequest
        With the place of the first reference to what is not there, or not the user's.
    """
    named = [str(item["id"]) for item in given if is_reference(item)]
    if not named:
        return list(given)
    found = await _find(history, responses, user, named)
    items: list[Item] = []
    for place, item in enumerate(given, first):
        if not is_reference(item):
            items.append(item)
        elif (one := found.get(str(item["id"]))) is None:
            raise _no_item(place)
        else:
            items.append({name: value for name, value in one.items() if name != "id"})
    return items


async def _find(history: History, responses: ResponseStore, user: str, named: Iterable[str]) -> dict[str, Item]:
    wanted: dict[str, set[int]] = {}
    for name in named:
        if parsed := parse_item_id(name):
            wanted.setdefault(parsed[0], set()).add(parsed[1])
    groups = await asyncio.gather(
        *(_items_of(history, responses, user, incarnation, seqs) for incarnation, seqs in wanted.items())
    )
    return {str(item.get("id")): item for items in groups for item in items}


async def _items_of(
    history: History, responses: ResponseStore, user: str, incarnation: str, seqs: set[int]
) -> list[Item]:
    """Read items of a conversation, or of a response that has none."""
    name = await responses.conversation_of(user, incarnation)
    if name is None:
        alone = await responses.read(user, incarnation, 1)
        return [one.item for one in alone.own_items] if alone is not None else []
    with suppress(NotFound):
        head = await history.head(Address(user, name))
        if head.incarnation == incarnation:
            return [one.item for one in await history.items_at(head, seqs)]
    return []


def _no_item(place: int) -> InvalidRequest:
    message = "There is no such item of yours. Send the item itself: clients do that with `store: false`."
    return InvalidRequest(message, param=f"input[{place}]", code="item_not_found")
