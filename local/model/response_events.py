"""The server-sent events of a ``Response``: the sequence in which OpenAI streams it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.model.tokens import deltas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Event = dict[str, Any]


def events(response: dict[str, Any]) -> Iterator[Event]:
    """Yield each event of a response, numbered from 0."""
    for number, event in enumerate(_events(response)):
        yield {**event, "sequence_number": number}


def _events(response: dict[str, Any]) -> Iterator[Event]:
    nothing_yet = {"status": "in_progress", "completed_at": None, "error": None, "incomplete_details": None}
    started = {**response, **nothing_yet, "output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(response["output"]):
        added = {**item, "status": "in_progress"}
        field, nothing, parts = _PARTS[item["type"]]
        added[field] = nothing
        yield {"type": "response.output_item.added", "output_index": index, "item": added}
        yield from parts(item, index)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _content(item: dict[str, Any], output_index: int) -> Iterator[Event]:
    for index, part in enumerate(item["content"]):
        where = {"item_id": item["id"], "output_index": output_index, "content_index": index}
        kind = part["type"]
        field = "text" if kind == "output_text" else "refusal"
        emptied = {**part, field: "", **({"logprobs": []} if field == "text" else {})}
        yield {"type": "response.content_part.added", **where, "part": emptied}
        for piece, delta in deltas(part[field]):
            logprobs = {"logprobs": part["logprobs"][piece]} if field == "text" else {}
            yield {"type": f"response.{kind}.delta", **where, "delta": delta, **logprobs}
        logprobs = {"logprobs": part["logprobs"]} if field == "text" else {}
        yield {"type": f"response.{kind}.done", **where, field: part[field], **logprobs}
        yield {"type": "response.content_part.done", **where, "part": part}


def _arguments(item: dict[str, Any], output_index: int) -> Iterator[Event]:
    where = {"item_id": item["id"], "output_index": output_index}
    kind = "response.function_call_arguments"
    for _, delta in deltas(item["arguments"]):
        yield {"type": f"{kind}.delta", **where, "delta": delta}
    yield {"type": f"{kind}.done", **where, "name": item["name"], "arguments": item["arguments"]}


# Of each kind of item: what comes piece by piece, how it begins, and its events.
_PARTS: dict[str, tuple[str, Any, Callable[[Event, int], Iterator[Event]]]] = {
    "message": ("content", [], _content),
    "function_call": ("arguments", "", _arguments),
}
