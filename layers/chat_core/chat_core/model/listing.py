"""The models that a request may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import NotFound, SecretUnavailable, UpstreamError, UpstreamRejected, UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chat_core.model.port import ModelProvider

KEPT_SECONDS = 300.0
"""How long the provider's list is remembered."""

ASKED_SECONDS = 5.0
"""Most seconds that a list waits for the provider: what is configured can be told without it."""

OWNER = "omoide"
"""Of a model that the operator named, and of whom the provider told nothing."""


class Models:
    """Lists models: those that the operator allows, else the operator's own and all of the provider's.

    Parameters
    ----------
    provider
        Asked only where the operator allows all models.
    allowed
        Empty for all.
    own
        The names that the operator chose for requests that name none; empty ones do not count.
    clock
        Monotonic, in seconds.
    """

    def __init__(
        self, provider: ModelProvider, *, allowed: Iterable[str], own: Iterable[str], clock: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._allowed = sorted(allowed)
        self._own = list(filter(None, own))
        self._clock = clock
        self._told: list[dict[str, Any]] = []
        self._told_until: float | None = None

    async def all(self, *, timeout: float) -> list[dict[str, Any]]:
        """List them; while the provider does not answer, what it said last and what is configured."""
        return (await self._known(timeout))[0]

    async def get(self, name: str, *, timeout: float) -> dict[str, Any]:
        """Give one.

        Raises
        ------
        NotFound
            If there is no such model, or it may not be named here.
        UpstreamError, SecretUnavailable
            If the provider, which alone could tell, does not answer.
        """
        known, unknown = await self._known(timeout)
        found = next((model for model in known if model["id"] == name), None)
        if found is not None:
            return found
        if unknown is not None:
            raise unknown
        message = f"The model '{name}' does not exist or may not be used here."
        raise NotFound(message, param="model", code="model_not_found")

    async def _known(self, timeout: float) -> tuple[list[dict[str, Any]], Exception | None]:
        """Tell the models, and why there may be more, where the provider does not answer."""
        if self._allowed:
            return [_named(name) for name in self._allowed], None
        unknown = None
        if self._told_until is None or self._clock() >= self._told_until:
            try:
                self._told = await self._provider.models(timeout=min(timeout, ASKED_SECONDS))
                self._told_until = self._clock() + KEPT_SECONDS
            except (UpstreamError, SecretUnavailable) as error:
                unknown = error
            except (UpstreamRejected, UpstreamTimeout):
                unknown = UpstreamError("The model's provider does not tell which models it has.")
        told = {model["id"]: model for model in self._told}
        own = {name: told.get(name) or _named(name) for name in self._own}
        return list({**own, **told}.values()), unknown


def _named(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER}
