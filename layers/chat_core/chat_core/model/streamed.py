"""What a provider streams: which of it is told as it comes, and the answer that it makes in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from chat_core.errors import UpstreamError
from chat_core.model.assembled import AssembledCompletion
from chat_core.model.placed import PlacedEvents
from chat_core.model.whole import whole_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chat_core.keys import Endpoint
    from chat_core.model.whole_items import Asked

_BROKE_OFF = "The model's provider broke its answer off."
_LAST = frozenset(("response.completed", "response.incomplete"))
_FAILED = frozenset(("response.failed", "response.cancelled", "error"))


class Streamed(Protocol):
    """A streamed answer on its way."""

    def take(self, event: object) -> Iterator[Mapping[str, Any]]:
        """Take an event as the provider sent it, and give what is told of it, made whole.

        Raises
        ------
        UpstreamError
            If the provider tells that it failed, or what no provider tells.
        """
        ...

    def answer(self) -> dict[str, Any]:
        """Return the whole answer after the stream's end.

        Raises
        ------
        UpstreamError
            If the stream ended before.
        """
        ...


class StreamedResponse:
    """Of the Responses API. The last event is not told: what it says holds once its reader has made it true."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._placed = PlacedEvents()
        self._answer: dict[str, Any] | None = None

    def take(self, event: object) -> Iterator[Mapping[str, Any]]:
        """Take an event: see `Streamed`."""
        for placed in self._placed.take(event):
            whole = whole_event("responses", placed, self._asked)
            kind = whole["type"]
            if kind in _FAILED:
                raise UpstreamError("The model's provider failed to make a response.")
            if kind not in _LAST:
                yield whole
            elif isinstance(whole.get("response"), dict):
                self._answer = self._placed.answer(whole["response"])

    def answer(self) -> dict[str, Any]:
        """Return the whole response: see `Streamed`."""
        if self._answer is None:
            raise UpstreamError(_BROKE_OFF)
        return self._answer


class StreamedCompletion:
    """Of the Chat Completions API. The usage is not told: it is in the whole completion, for who asks for it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._assembled = AssembledCompletion()

    def take(self, event: object) -> Iterator[Mapping[str, Any]]:
        """Take a chunk: see `Streamed`."""
        whole = whole_event("chat/completions", event, self._asked)
        try:
            self._assembled.add(whole)
        except (AttributeError, KeyError, TypeError):
            raise UpstreamError("The model's provider answered what cannot be read.") from None
        if whole["choices"]:
            yield {name: value for name, value in whole.items() if name != "usage"}

    def answer(self) -> dict[str, Any]:
        """Return the whole completion: see `Streamed`."""
        completion = self._assembled.completion()
        if completion is None:
            raise UpstreamError(_BROKE_OFF)
        return completion


def streamed(endpoint: Endpoint, asked: Asked) -> Streamed:
    """Begin to take what an endpoint streams."""
    return (StreamedCompletion if endpoint == "chat/completions" else StreamedResponse)(asked)


def streaming_body(endpoint: Endpoint, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the request for a stream of one; of a chat completion the usage is asked for too."""
    if endpoint != "chat/completions":
        return {**body, "stream": True}
    return {**body, "stream": True, "stream_options": {**(body.get("stream_options") or {}), "include_usage": True}}
