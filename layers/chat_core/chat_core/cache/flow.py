"""The way of a request through the cache, the same for replies and vectors: look, single flight, ask, store, count."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.cache import status as cache_status
from chat_core.cache.reply import Reply
from chat_core.cache.single_flight import SingleFlight, Ticket
from chat_core.errors import CacheMissed, CacheUnavailable
from chat_core.observability import Metric
from chat_core.timing import add_span, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.cache.access import CacheAccess
    from chat_core.cache.policy import Decision
    from chat_core.cache.reply import Listener, ModelCall
    from chat_core.keys import KeySpace
    from chat_core.model import ChatModel, Tell
    from chat_core.observability import Count

Value = tuple[str, bytes, float]
"""A key, what belongs there, and the seconds that it may stay."""


class Provider(NamedTuple):
    """Where answers come from.

    Parameters
    ----------
    cache
        Where answers are kept.
    model
        See `chat_core.model.port`.
    keys
        Of the provider's answers in the cache.
    ttl
        Seconds that an answer is kept; drawn up to a tenth shorter, so that what came together does not go together.
    clock
        Seconds since the epoch.
    """

    cache: CacheAccess
    model: ChatModel
    keys: KeySpace
    ttl: int
    clock: Callable[[], float] = time.time


class Found(NamedTuple):
    """An answer from the cache, as this request is told it.

    Parameters
    ----------
    response
        OpenAI's object.
    age, ttl
        Seconds since it was made, and for which it is still fresh.
    tokens, upstream_ms
        What it was paid for and how long the model took, when it was made.
    """

    response: dict[str, Any]
    age: float
    ttl: float
    tokens: int
    upstream_ms: int


class Made(NamedTuple):
    """An answer of the model's.

    Parameters
    ----------
    response
        OpenAI's object.
    tokens, upstream_ms
        What a part of it that came from the cache was once paid for, and how long the model took.
    """

    response: dict[str, Any]
    tokens: int = 0
    upstream_ms: int = 0


class Question(ABC):
    """One request on its way, with what its endpoint does differently.

    Parameters
    ----------
    call
        What is asked.
    provider
        Whom it is asked.
    decision
        What the cache may do for it.

    Attributes
    ----------
    refusal
        Why a stored answer could not be taken, in the words of RFC 9211's ``fwd``; empty when none was there.
    """

    def __init__(self, call: ModelCall, provider: Provider, decision: Decision) -> None:
        self.call = call
        self.provider = provider
        self.decision = decision
        self.refusal = ""

    @property
    @abstractmethod
    def key(self) -> str:
        """Of what is still to be asked: one request in flight has it."""

    @abstractmethod
    async def read(self, timeout: float | None = None) -> Found | None:
        """Read the cache; None while not everything is there that this request may take.

        Parameters
        ----------
        timeout
            Seconds, while another's call is waited for; None for the usual time.

        Raises
        ------
        CacheUnavailable
            If it could not be read.
        """

    @abstractmethod
    async def ask(self, timeout: float, tell: Tell | None = None) -> Made:
        """Ask the model, within so many seconds; parameters and errors are those of `chat_core.model.ChatModel`."""

    @abstractmethod
    def values(self) -> Sequence[Value]:
        """Write down what the cache is to keep of the answer; nothing of one that is not for sharing."""

    @property
    def forward(self) -> str:
        """Why the request went to the model, in the words of RFC 9211's ``fwd``."""
        return (self.refusal or "uri-miss") if self.decision.read else "request"

    async def post(
        self, body: Mapping[str, Any], timeout: float, tell: Tell | None = None
    ) -> tuple[dict[str, Any], int]:
        """Send the model a body; its answer, and how many milliseconds it took."""
        start = time.monotonic()
        with timed("model"):
            answer = await self.provider.model.post(self.call.endpoint, body, timeout=timeout, tell=tell)
        return answer, round((time.monotonic() - start) * 1000)


class CacheFlow:
    """Answers questions from the cache where the rules allow it, from the model otherwise.

    Parameters
    ----------
    cache
        Where answers and leases are.
    count
        Takes the metrics.
    """

    def __init__(self, cache: CacheAccess, count: Count) -> None:
        self._cache = cache
        self._count = count
        self.flights = SingleFlight(cache)

    async def answer(
        self, question: Question, *, timeout: float, alone: bool = False, listener: Listener | None = None
    ) -> Reply:
        """Get the answer.

        Parameters
        ----------
        timeout
            Seconds for the model, and for waiting for another's call of it.
        alone
            Whether no other request can have the same key, so that there is no call to share.
        listener
            Follows what the model makes, for who cannot wait for the whole.

        Raises
        ------
        CacheMissed
            If only a cached answer would do and there is none.
        """
        decision, failure = question.decision, ""
        if decision.read:
            try:
                if (found := await question.read()) is not None:
                    return self._hit(question, found)
            except CacheUnavailable as error:
                failure = error.reason
        if question.call.directives.only_if_cached:
            raise CacheMissed("There is no cached answer to this request.")
        if decision.bypass:
            made = await question.ask(timeout, _tell(listener, question, bypass=decision.reason))
            return self._bypass(question, decision.reason, made)
        ticket: Ticket[Found] = Ticket(timeout, failure=failure)
        if decision.read and decision.write and not alone:
            ticket = await self.flights.join(question.key, question.read, timeout=timeout)
        if ticket.found is not None:
            return self._hit(question, ticket.found, collapsed=ticket.waited)
        return await self._ask(question, ticket, listener)

    async def _ask(self, question: Question, ticket: Ticket[Found], listener: Listener | None) -> Reply:
        """Ask the model, and store what it answers."""
        failure = f"cache-{ticket.failure.replace('_', '-')}" if ticket.failure else ""
        try:
            async with self.flights.renewed(ticket):
                made = await question.ask(ticket.remaining, _tell(listener, question, bypass=failure))
        except BaseException:
            await self.flights.abandon(ticket)
            raise
        if failure:
            return self._bypass(question, failure, made)
        stored = question.decision.write and await self._store(question, ticket)
        self._count(Metric.CACHE_MISSES)
        self._count_saved(made)
        return Reply(
            made.response, "MISS", _miss(question, stored=stored), saved_tokens=made.tokens, saved_ms=made.upstream_ms
        )

    async def _store(self, question: Question, ticket: Ticket[Found]) -> bool:
        """Store an answer and give the lease back; tell whether it is done. It goes on if it takes long."""
        values = question.values()
        return await self._cache.hold(self._write(values, ticket), size=max(1, len(values)))

    async def _write(self, values: Sequence[Value], ticket: Ticket[Found]) -> bool:
        stored = bool(values) and await self._cache.set_all(values)
        await (self.flights.settle(ticket) if stored else self.flights.disband(ticket))
        return stored

    def _hit(self, question: Question, found: Found, *, collapsed: bool = False) -> Reply:
        self._count(Metric.CACHE_HITS)
        self._count_saved(found)
        if collapsed:
            self._count(Metric.CACHE_COLLAPSED)
        status = cache_status.hit(found.ttl, collapsed=collapsed, details=_details(question))
        return Reply(found.response, "HIT", status, max(0, int(found.age)), found.tokens, found.upstream_ms)

    def _bypass(self, question: Question, reason: str, made: Made) -> Reply:
        self._count(Metric.CACHE_BYPASSES, reason=reason)
        self._count_saved(made)
        return Reply(
            made.response, "BYPASS", _bypassed(question, reason), saved_tokens=made.tokens, saved_ms=made.upstream_ms
        )

    def _count_saved(self, answer: Found | Made) -> None:
        if answer.tokens or isinstance(answer, Found):
            self._count(Metric.TOKENS_SAVED, answer.tokens)
            self._count(Metric.UPSTREAM_MS_SAVED, answer.upstream_ms)


def _tell(listener: Listener | None, question: Question, *, bypass: str) -> Tell | None:
    """Tell a listener what the model makes, and before the first of it what is known of the cache by then."""
    if listener is None:
        return None
    start, begun = time.monotonic(), False

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal begun
        if not begun:
            begun = True
            add_span("first_event", time.monotonic() - start)
            opened = Reply({}, "BYPASS", _bypassed(question, bypass)) if bypass else Reply({}, "MISS", _miss(question))
            listener.opened(opened.headers)
        listener.told(event)

    return tell


def _miss(question: Question, *, stored: bool = False) -> str:
    return cache_status.forward(question.forward, stored=stored, details=_details(question))


def _bypassed(question: Question, reason: str) -> str:
    return cache_status.forward("bypass", details=(reason, *_details(question)))


def _details(question: Question) -> tuple[str, ...]:
    return (cache_status.CLAMPED,) if question.call.directives.clamped else ()
