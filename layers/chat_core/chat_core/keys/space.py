"""Whose entries a request may share: the keys of one provider's replies, by the user or for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.keys.cached import embedding_key, response_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.keys.canonical import Endpoint

_EVERYBODY = ""  # no user's name is empty


@dataclass(frozen=True, slots=True)
class KeySpace:
    """The part of every key that no request chooses.

    Parameters
    ----------
    base_url
        The provider's: the same model name at another address is another model.
    epoch
        A new one puts every entry out of reach.
    shared
        Whether all users share their replies. Whoever asks the same, word for word, then gets what another was
        answered, and may learn from a hit that it was asked before.
    """

    base_url: str
    epoch: int = 0
    shared: bool = False

    def response_key(self, endpoint: Endpoint, body: Mapping[str, Any], *, user: str) -> str:
        """Compose the key of the reply to a user's request; see `chat_core.keys.response_key`."""
        return response_key(endpoint, body, scope=self._scope(user), base_url=self.base_url, epoch=self.epoch)

    def embedding_key(self, text_or_tokens: str | Sequence[int], body: Mapping[str, Any], *, user: str) -> str:
        """Compose the key of one input's vector; see `chat_core.keys.embedding_key`."""
        return embedding_key(
            text_or_tokens,
            model=body["model"],
            dimensions=body.get("dimensions"),
            scope=self._scope(user),
            base_url=self.base_url,
            epoch=self.epoch,
            parameters=body,
        )

    def _scope(self, user: str) -> str:
        return _EVERYBODY if self.shared else user
