"""A request that goes through the cache to the model, and the answer that comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache.policy import Directives
    from chat_core.keys import Endpoint


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A checked request to the model.

    Parameters
    ----------
    user
        Whose it is, and so who may share the answer.
    body
        The effective request: what goes to the model, but for how the answer is to be sent.
    directives
        The request's ``Cache-Control``.
    endpoint
        Path of OpenAI's route, without ``/v1/``.
    bypass
        Why no cached reply may answer it, a short word; empty where one may. What is made of a person's own memory no
        other request could hit, and a cache would keep it for a day after it was erased.
    """

    user: str
    body: Mapping[str, Any]
    directives: Directives
    endpoint: Endpoint = "responses"
    bypass: str = ""


class Listener(Protocol):
    """Follows an answer while the model makes it. It never waits and never raises."""

    def opened(self, headers: Mapping[str, str], /) -> None:
        """Take what the answer's headers tell of the cache: the model has begun. Of a hit nothing is told."""
        ...

    def told(self, event: Mapping[str, Any], /) -> None:
        """Take an event of a response, or a chunk of a chat completion: all but the last of a response."""
        ...


class CacheReport(TypedDict):
    """Our member ``omoide.cache`` of an answer: how it was had, as `Reply` tells it.

    ``age`` is in seconds, ``saved_ms`` in milliseconds.
    """

    status: Literal["hit", "miss", "bypass"]
    age: int
    saved_tokens: int
    saved_ms: int


class CallReport(TypedDict):
    """Our member ``omoide`` of the answer to a call without a conversation."""

    cache: CacheReport


_REPORTED: Mapping[str, Literal["hit", "miss", "bypass"]] = {"HIT": "hit", "MISS": "miss", "BYPASS": "bypass"}


class Reply(NamedTuple):
    """An answer, and how it was had.

    Parameters
    ----------
    response
        OpenAI's object.
    status
        ``HIT``, ``MISS`` or ``BYPASS``.
    cache_status
        The header ``Cache-Status`` (RFC 9211).
    age
        Seconds since the answer was made, 0 unless it is a hit.
    saved_tokens
        What the model would have been paid for, 0 where all of it was paid.
    saved_ms
        Milliseconds that the model took when it made what came from the cache.
    """

    response: dict[str, Any]
    status: Literal["HIT", "MISS", "BYPASS"]
    cache_status: str
    age: int = 0
    saved_tokens: int = 0
    saved_ms: int = 0

    @property
    def cache(self) -> CacheReport:
        """Our member ``omoide.cache`` of the answer."""
        return {
            "status": _REPORTED[self.status],
            "age": self.age,
            "saved_tokens": self.saved_tokens,
            "saved_ms": self.saved_ms,
        }

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers that tell of the cache."""
        headers = {"X-Cache": self.status, "Cache-Status": self.cache_status}
        if self.status == "HIT":
            headers["Age"] = str(self.age)
        return headers
