"""Asking a model for structured output, of providers that take all of it and of those that do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chat_core.errors import ChatError, UpstreamRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.deadline import Deadline
    from chat_core.model import ChatModel

ANSWER_SECONDS = 60.0
COMMIT_RESERVE = 5.0
"""Seconds at the end of an invocation for what was paid to be written."""

MODEL_MINIMUM = 5.0
"""With fewer seconds left than that the model is not asked."""

FOLDS_IN_A_ROW = 100
UNSUPPORTED = ("temperature", "text")
"""Parameters without which the model is asked where its provider refuses them."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of asking a model.

    Parameters
    ----------
    made
        None where there is nothing to store, not even that nothing was found.
    code
        Why not; empty otherwise.
    refused
        Whether it was for the model's answer to this transcript, not for the way to it.
    """

    made: T | None
    code: str = ""
    refused: bool = False


class StructuredModel:
    """A model that is asked for JSON; what its provider does not take is left out from then on.

    Parameters
    ----------
    model
        The provider.
    name
        The model's name there.
    """

    def __init__(self, model: ChatModel, name: str) -> None:
        self.name = name
        self._model = model
        self._unsupported: set[str] = set()

    @property
    def structured(self) -> bool:
        """Whether the provider holds the answer to the schema."""
        return "text" not in self._unsupported

    async def ask(self, request: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Ask for a response.

        Raises
        ------
        ChatError
            As `ChatModel.post`.
        """
        body = {"model": self.name, **request}
        for _ in range(1 + len(UNSUPPORTED)):
            sent = {name: value for name, value in body.items() if name not in self._unsupported}
            timeout = min(ANSWER_SECONDS, deadline.remaining())
            try:
                return await self._model.post("responses", sent, timeout=timeout)
            except UpstreamRejected as rejected:
                named = _unsupported(rejected)
                if named is None or named not in sent:
                    raise
                self._unsupported.add(named)
        raise AssertionError


def _unsupported(rejected: UpstreamRejected) -> str | None:
    """Name the parameter that the provider does not take from us."""
    if rejected.status != 400:
        return None
    param = str(rejected.error.get("param") or "").split(".")[0]
    return param if param in UNSUPPORTED else None


def is_refused(error: ChatError) -> bool:
    """Whether the provider refused what it was given: another range may do."""
    return isinstance(error, UpstreamRejected) and error.status in (400, 413, 422)


def code_of(error: ChatError) -> str:
    """Give a code for what failed; never the provider's message."""
    return "rejected" if is_refused(error) else error.code or "upstream_error"
