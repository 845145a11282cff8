"""The model's events as a turn tells them: with its frame, and the conversation's own ids from the first event on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.keys import id_of
from chat_core.messages import stored_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache import Listener

_MOST_ITEMS = 1 << 20


class Places:
    """Where the items of an answer will stand in the history.

    They hold as long as the lease does: nobody else appends. If the commit has to move, its answer has the true ones.

    Parameters
    ----------
    incarnation
        Of the conversation.
    first_seq
        Of the first item.
    """

    def __init__(self, incarnation: str, first_seq: int) -> None:
        self._incarnation = incarnation
        self._first_seq = first_seq
        self._ids: dict[int, str] = {}

    def id(self, index: int, item: Mapping[str, Any]) -> str:
        """Tell an item's id by its number in the answer. Its kind counts when it is first asked for."""
        if index not in self._ids:
            self._ids[index] = id_of(item, self._incarnation, self._first_seq + index)
        return self._ids[index]


class Retold:
    """A `Listener` that tells another.

    Parameters
    ----------
    listener
        Who is told.
    frame
        Our members of the response.
    places
        Of its items; None for a turn that is not stored, whose items keep the model's ids.
    """

    def __init__(self, listener: Listener, frame: Mapping[str, Any], places: Places | None) -> None:
        self._listener = listener
        self._frame = frame
        self._places = places

    def opened(self, headers: Mapping[str, str]) -> None:
        """Hand on that the model has begun."""
        self._listener.opened(headers)

    def told(self, event: Mapping[str, Any]) -> None:
        """Retell an event; the event itself stays as it is."""
        ours: dict[str, Any] = {}
        if isinstance(event.get("response"), dict):
            ours["response"] = {**event["response"], "output": [], **self._frame}
        index = event.get("output_index")
        if self._places is not None and isinstance(index, int) and 0 <= index < _MOST_ITEMS:
            item = event.get("item")
            if isinstance(item, dict):
                done = stored_item(item) if event["type"] == "response.output_item.done" else item
                ours["item"] = {**done, "id": self._places.id(index, item)}
            if "item_id" in event:
                ours["item_id"] = self._places.id(index, {"type": "message"})
        self._listener.told({**event, **ours})
