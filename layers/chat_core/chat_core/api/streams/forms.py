"""The forms of OpenAI's two streams: an answer as frames while it is made, at once, or broken off. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from chat_core.api.streams.chat import completion_chunks
from chat_core.api.streams.frames import DONE, chunk_frame, chunk_frames, event_frame, event_frames
from chat_core.api.streams.responses import last_event, response_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class StreamForm(Protocol):
    """Writes one stream."""

    def whole(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write an answer that is there."""
        ...

    def told(self, event: Mapping[str, Any]) -> str:
        """Write what the model has told."""
        ...

    def end(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write what follows on the last that the model has told; it says that the answer is done."""
        ...

    def failure(self, error: Mapping[str, Any]) -> Iterator[str]:
        """Write that nothing follows.

        Parameters
        ----------
        error
            What OpenAI's envelope has under ``error``.
        """
        ...


class ResponseStream:
    """Of the Responses API. Its events are numbered as they leave here."""

    def __init__(self) -> None:
        self._number = 0
        self._response: Mapping[str, Any] | None = None

    def whole(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write a finished response: see `StreamForm`."""
        return event_frames(response_events(answer))

    def told(self, event: Mapping[str, Any]) -> str:
        """Write an event of the model's: see `StreamForm`."""
        if "response" in event:
            self._response = event["response"]
        return self._numbered(event)

    def end(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write the last event: see `StreamForm`."""
        yield self._numbered(last_event(answer))

    def failure(self, error: Mapping[str, Any]) -> Iterator[str]:
        """Write a failed response, and then an error.

        The SDKs take the first for an event like others, and raise at a member ``error`` alone.
        """
        if self._response is not None:
            failed = {
                **self._response,
                "status": "failed",
                "output": [],
                "usage": None,
                "error": {"code": "server_error", "message": error["message"]},
            }
            yield self._numbered({"type": "response.failed", "response": failed})
        flat = {name: error[name] for name in ("code", "message", "param")}
        yield self._numbered({"type": "error", **flat, "error": error})

    def _numbered(self, event: Mapping[str, Any]) -> str:
        frame = event_frame({**event, "sequence_number": self._number})
        self._number += 1
        return frame


class CompletionStream:
    """Of the Chat Completions API.

    Parameters
    ----------
    include_usage
        Whether the last chunk tells the usage (``stream_options``).
    """

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage

    def whole(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write a finished completion: see `StreamForm`."""
        return chunk_frames(completion_chunks(answer, include_usage=self._include_usage))

    def told(self, event: Mapping[str, Any]) -> str:
        """Write a chunk of the model's: see `StreamForm`."""
        return chunk_frame({**event, "usage": None} if self._include_usage else event)

    def end(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Write the chunk with the usage, where it is asked for, and the mark of the end."""
        if self._include_usage:
            [chunk] = completion_chunks({**answer, "choices": []}, include_usage=True)
            yield chunk_frame(chunk)
        yield DONE

    def failure(self, error: Mapping[str, Any]) -> Iterator[str]:
        """Write the error. There is no mark of the end: it would say that the completion is whole."""
        yield chunk_frame({"error": error})
