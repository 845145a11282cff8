"""The model's events as a turn tells them: the conversation's own ids from the first event on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.keys import item_id, item_prefix
from chat_core.messages import stored_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache import Listener

_MOST_ITEMS = 1 << 20


class Retold:
    """A `Listener` that tells another, with the frame and the places that the turn will have in the history.

    They hold as long as the lease does: nobody else appends. If the commit has to move, its answer has the true ones.

    Parameters
    ----------
    listener
        Who is told.
    frame
        Our members of the response.
    incarnation
        Of the conversation.
    first_seq
        Place of the first output item.
    """

    def __init__(self, listener: Listener, frame: Mapping[str, Any], *, incarnation: str, first_seq: int) -> None:
        self._listener = listener
        self._frame = frame
        self._incarnation = incarnation
        self._first_seq = first_seq
        self._ids: dict[int, str] = {}

    def opened(self, headers: Mapping[str, str]) -> None:
        """Hand on that the model has begun."""
        self._listener.opened(headers)

    def told(self, event: Mapping[str, Any]) -> None:
        """Retell an event; what it has no place for in it stays as it is."""
        ours: dict[str, Any] = {}
        if isinstance(event.get("response"), dict):
            ours["response"] = {**event["response"], "output": [], **self._frame}
        index = event.get("output_index")
        if isinstance(index, int) and 0 <= index < _MOST_ITEMS:
            if isinstance(event.get("item"), dict):
                item = stored_item(event["item"]) if event["type"] == "response.output_item.done" else event["item"]
                ours["item"] = {**item, "id": self._id(index, str(item.get("type") or "message"))}
            if "item_id" in event:
                ours["item_id"] = self._id(index, "message")
        self._listener.told({**event, **ours})

    def _id(self, index: int, kind: str) -> str:
        """Tell an item's id; its kind counts when it is first asked for, at the item's announcement."""
        if index not in self._ids:
            self._ids[index] = item_id(item_prefix(kind), self._incarnation, self._first_seq + index)
        return self._ids[index]
