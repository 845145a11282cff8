"""References in a turn's input to items that its conversation has: the memory's view shows those by its own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest
from chat_core.keys import parse_item_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history import Head, History


def is_reference(item: Mapping[str, Any]) -> bool:
    """Tell a reference to an item of this service's from everything else: such an id is nobody else's."""
    return item.get("type") == "item_reference" and parse_item_id(item.get("id")) is not None


async def check_references(history: History, head: Head, items: Sequence[Mapping[str, Any]]) -> None:
    """Refuse references to what the conversation does not have.

    Raises
    ------
    InvalidRequest
        With the place of the first; or of the input, if there is nothing else in it.
    """
    references = {place: str(item["id"]) for place, item in enumerate(items) if is_reference(item)}
    if not references:
        return
    if len(references) == len(items):
        raise InvalidRequest("The input only refers to what the conversation already has.", param="input")
    places = [parsed[1] for given in references.values() if (parsed := parse_item_id(given)) is not None]
    stored = await history.items_at(head, {place for place in places if place <= head.seq}) if head.seq else ()
    known = {one.item.get("id") for one in stored}
    for place, given in references.items():
        if given not in known:
            raise InvalidRequest(
                "The conversation has no such item: send the item itself.",
                param=f"input[{place}]",
                code="item_not_found",
            )
