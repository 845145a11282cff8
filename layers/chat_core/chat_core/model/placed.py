"""The events of a streamed response, each about an item and a part that were begun and named before: pure.

OpenAI's SDKs put a response together by the places that its events name, and fail at a text whose part was not begun.
Providers that speak the same API leave places, ids and whole events out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.keys import item_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Event = dict[str, Any]

_ITEM_EVENTS = frozenset({"response.output_item.added", "response.output_item.done"})
# Of each kind of part that is begun where the provider does not: its type, and the member that its deltas make.
_PARTS = {"response.output_text": ("output_text", "text"), "response.refusal": ("refusal", "refusal")}
_PART = "response.content_part"


@dataclass
class _Item:
    id: str
    begun: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)


class PlacedEvents:
    """What a stream has begun so far."""

    def __init__(self) -> None:
        self._items: dict[int, _Item] = {}
        self._finished: dict[int, Mapping[str, Any]] = {}

    def take(self, event: Any) -> Iterator[Any]:
        """Take an event as the provider sent it, and give it with its place, behind those that it lacks before it."""
        kind = event.get("type") if isinstance(event, dict) else None
        if not isinstance(kind, str) or kind.count(".") < 2 or not _are_numbers(event):
            yield event
        elif kind not in _ITEM_EVENTS:
            yield from self._of_item(event, *kind.rsplit(".", 1))
        elif isinstance(event.get("item"), dict):
            yield from self._item(event, added=kind.endswith("added"))
        else:
            yield event

    def answer(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """Give the whole response with the items that were told, under the ids that they were told with."""
        output = response.get("output")
        if not isinstance(output, list) or not output:
            return {**response, "output": [item for _, item in sorted(self._finished.items())]}
        return {**response, "output": [self._named(item, index) for index, item in enumerate(output)]}

    def _named(self, item: Any, index: int) -> Any:
        known = self._items.get(index)
        return item if known is None or not isinstance(item, dict) or item.get("id") else {**item, "id": known.id}

    def _item(self, event: Event, *, added: bool) -> Iterator[Event]:
        index = event.get("output_index", len(self._items) if added else max(self._items, default=0))
        if index not in self._items:
            kind = event["item"].get("type")
            prefix = item_prefix(kind if isinstance(kind, str) else "message")
            self._items[index] = _Item(event["item"].get("id") or f"{prefix}_{uuid4().hex}")
            if not added:
                started = {**event["item"], "status": "in_progress"}
                yield from self._item({"type": "response.output_item.added", "item": started, **_at(index)}, added=True)
        item = self._named(event["item"], index)
        if not added:
            yield from self._ends(item, index)
            self._finished[index] = item
        yield {**event, **_at(index), "item": item}

    def _ends(self, item: Mapping[str, Any], index: int) -> Iterator[Event]:
        """End the parts of an item that were begun and not ended."""
        known, content = self._items[index], item.get("content")
        for place in sorted(known.begun - known.done):
            part = content[place] if isinstance(content, list) and place < len(content) else None
            if not isinstance(part, dict):
                continue
            where = {"item_id": known.id, **_at(index), "content_index": place}
            for family, (kind, member) in _PARTS.items():
                if part.get("type") == kind and place not in known.told:
                    yield {"type": f"{family}.done", **where, member: part.get(member) or ""}
            yield {"type": f"{_PART}.done", **where, "part": part}

    def _of_item(self, event: Event, family: str, verb: str) -> Iterator[Event]:
        index = event.get("output_index", max(self._items, default=0))
        if family != _PART and family not in _PARTS:
            known = self._items.get(index)
            yield event if known is None else {"item_id": known.id, **_at(index), **event}
            return
        if index not in self._items:
            started = {"type": "message", "role": "assistant", "status": "in_progress", "content": []}
            yield from self._item({"type": "response.output_item.added", "item": started, **_at(index)}, added=True)
        known, place = self._items[index], event.get("content_index", 0)
        where = {"item_id": known.id, **_at(index), "content_index": place}
        if family in _PARTS and place not in known.begun:
            kind, member = _PARTS[family]
            yield {"type": f"{_PART}.added", **where, "part": {"type": kind, member: ""}}
        known.begun.add(place)
        if verb == "done":
            (known.done if family == _PART else known.told).add(place)
        yield {**where, **event}


def _at(index: int) -> dict[str, int]:
    return {"output_index": index}


def _are_numbers(event: Mapping[str, Any]) -> bool:
    """Whether the places that an event names are places; one that is not is refused where events are made whole."""
    return all(isinstance(event.get(name, 0), int) for name in ("output_index", "content_index"))
