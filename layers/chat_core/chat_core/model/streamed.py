"""What a provider streams: which of it is told as it comes, and the answer that it makes in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from chat_core.errors import UpstreamError
from chat_core.model.assembled import AssembledCompletion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.keys import Endpoint

_BROKE_OFF = "The model's provider broke its answer off."
_LAST = frozenset(("response.completed", "response.incomplete"))
_FAILED = frozenset(("response.failed", "response.cancelled", "error"))


class Streamed(Protocol):
    """A streamed answer on its way."""

    def take(self, event: Any) -> Mapping[str, Any] | None:
        """Take an event, and return what is told of it, None for nothing.

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

    def __init__(self) -> None:
        self._answer: dict[str, Any] | None = None

    def take(self, event: Any) -> Mapping[str, Any] | None:
        """Take an event: see `Streamed`."""
        kind = event.get("type") if isinstance(event, dict) else None
        if not isinstance(kind, str):
            raise UpstreamError("The model's provider answered what cannot be read.")
        if kind in _FAILED:
            raise UpstreamError("The model's provider failed to make a response.")
        if kind not in _LAST:
            return event  # type: ignore[no-any-return]
        if isinstance(event.get("response"), dict):
            self._answer = event["response"]
        return None

    def answer(self) -> dict[str, Any]:
        """Return the whole response: see `Streamed`."""
        if self._answer is None:
            raise UpstreamError(_BROKE_OFF)
        return self._answer


class StreamedCompletion:
    """Of the Chat Completions API. The usage is not told: it is in the whole completion, for who asks for it."""

    def __init__(self) -> None:
        self._assembled = AssembledCompletion()

    def take(self, event: Any) -> Mapping[str, Any] | None:
        """Take a chunk: see `Streamed`."""
        try:
            self._assembled.add(event)
        except (AttributeError, KeyError, TypeError):
            raise UpstreamError("The model's provider answered what cannot be read.") from None
        if not event["choices"]:
            return None
        return {name: value for name, value in event.items() if name != "usage"}

    def answer(self) -> dict[str, Any]:
        """Return the whole completion: see `Streamed`."""
        completion = self._assembled.completion()
        if completion is None:
            raise UpstreamError(_BROKE_OFF)
        return completion


def streamed(endpoint: Endpoint) -> Streamed:
    """Begin to take what an endpoint streams."""
    return StreamedCompletion() if endpoint == "chat/completions" else StreamedResponse()


def streaming_body(endpoint: Endpoint, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the request for a stream of one; of a chat completion the usage is asked for too."""
    if endpoint != "chat/completions":
        return {**body, "stream": True}
    return {**body, "stream": True, "stream_options": {**(body.get("stream_options") or {}), "include_usage": True}}
