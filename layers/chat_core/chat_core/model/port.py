"""What the core asks of the model's provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.keys import Endpoint


class Tell(Protocol):
    """Takes a reply's events as they come: those of OpenAI's stream. It never waits and never raises."""

    def __call__(self, event: Mapping[str, Any], /) -> None:
        """Take an event of a response, or a chunk of a chat completion."""
        ...


class ChatModel(Protocol):
    """The model's provider."""

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        """Ask one of OpenAI's endpoints, and return its answer complete, whether it was told on the way or not.

        Parameters
        ----------
        endpoint
            ``responses``, ``chat/completions`` or ``embeddings``.
        body
            OpenAI's request, sent as it is.
        timeout
            Seconds that the whole call may take, its retries included. There are none once an event was told.
        tell
            Takes the answer as it comes, but for its last event; nothing of an answer that the provider gives whole.

        Raises
        ------
        UpstreamRejected, UpstreamError, UpstreamTimeout
            See there.
        """
        ...


class ModelProvider(ChatModel, Protocol):
    """The model's provider, with what beside replies is asked of it; each raises what `ChatModel.post` does."""

    async def compact(self, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Have a conversation compacted: OpenAI's ``POST /responses/compact``.

        Parameters
        ----------
        body
            OpenAI's request, sent as it is.
        timeout
            Seconds.
        """
        ...

    async def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """List the provider's models, each as OpenAI's object ``model``, within so many seconds."""
        ...
