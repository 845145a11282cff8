"""What the core asks of the model's provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.keys import Endpoint


class ChatModel(Protocol):
    """The model's provider."""

    async def post(self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Ask one of OpenAI's endpoints, and return its answer complete.

        Parameters
        ----------
        endpoint
            ``responses``, ``chat/completions`` or ``embeddings``.
        body
            OpenAI's request, sent as it is.
        timeout
            Seconds that the whole call may take, its retries included.

        Raises
        ------
        UpstreamRejected, UpstreamError, UpstreamTimeout
            See there.
        """
        ...
