"""Stored responses as a user's own: read, listed by their input, deleted."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chat_core.conversations.resources import PAGE_BYTES
from chat_core.errors import InvalidRequest, NotFound, no_response
from chat_core.history import Page, StoredItem
from chat_core.keys import parse_item_id, parse_response_id, unnamed_address
from chat_core.turns import answer_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.conversations.erasure import Erasure
    from chat_core.history import History, Order, ResponseStore, StoredResponse
    from chat_core.messages import Item


class Responses:
    """What a user may do with the answers that are kept.

    Parameters
    ----------
    responses, history
        Where their frames and their items are.
    erasure
        Takes a conversation that nobody has named along with its last response.
    """

    def __init__(self, responses: ResponseStore, history: History, erasure: Erasure) -> None:
        self._responses = responses
        self._history = history
        self._erasure = erasure

    async def answer(self, user: str, name: str) -> dict[str, Any]:
        """Give an answer again, equal to the first one but for items that were erased since.

        Raises
        ------
        NotFound
            If there is no such response, or its conversation was erased.
        """
        response = await self._find(user, name)
        return answer_again(response, await self._items(response))

    async def input_items(
        self, user: str, name: str, *, limit: int, after: str | None, order: Order
    ) -> Page[StoredItem]:
        """List the items that the caller sent for a response.

        Raises
        ------
        NotFound
            As `answer`.
        InvalidRequest
            If ``after`` is none of them.
        """
        response = await self._find(user, name)
        behind = response.first_seq + response.inputs
        items = [stored for stored in await self._items(response) if stored.seq < behind]
        if order == "desc":
            items.reverse()
        if after is not None:
            place = _place(response, after)
            items = [one for one in items if (one.seq > place if order == "asc" else one.seq < place)]
        return _page(items, limit)

    async def delete(self, user: str, name: str) -> None:
        """Delete a response; the last one of a conversation that nobody has named takes that along.

        Raises
        ------
        NotFound
            If there is no such response.
        """
        response = await self._find(user, name)
        if not await self._responses.delete(user, response.incarnation, response.first_seq):
            raise no_response()
        unnamed = unnamed_address(user, response.incarnation)
        if response.address == unnamed and await self._responses.is_empty(user, response.incarnation):
            with suppress(NotFound):
                await self._erasure.conversation(unnamed)

    async def _find(self, user: str, name: str) -> StoredResponse:
        parsed = parse_response_id(name)
        found = await self._responses.read(user, *parsed) if parsed else None
        if found is None or not found.shown:
            raise no_response()
        return found

    async def _items(self, response: StoredResponse) -> tuple[StoredItem, ...]:
        if not response.conversation:
            return response.own_items
        try:
            head = await self._history.head(response.address)
        except NotFound:
            raise no_response() from None
        if head.incarnation != response.incarnation:
            raise no_response()
        return await self._history.items(head, response.first_seq, response.last_seq)


def _place(response: StoredResponse, item: str) -> int:
    parsed = parse_item_id(item)
    behind = response.first_seq + response.inputs
    if parsed is None or parsed[0] != response.incarnation or not response.first_seq <= parsed[1] < behind:
        raise InvalidRequest("`after` is no input item of this response.", param="after")
    return parsed[1]


def _page(items: Sequence[StoredItem], limit: int) -> Page[StoredItem]:
    """Cut a page, bounded by count and by bytes; at least one item, where there is one."""
    kept: list[StoredItem] = []
    left = PAGE_BYTES
    for one in items[:limit]:
        left -= _size(one.item)
        if kept and left < 0:
            break
        kept.append(one)
    return Page(tuple(kept), has_more=len(kept) < len(items))


def _size(item: Item) -> int:
    return len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
