"""The model's reply to a request: from the response cache where the rules allow it, from the model otherwise."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from chat_core.cache import status as cache_status
from chat_core.cache.envelope import MAX_VALUE_BYTES, Envelope, draw_ttl, pack, unpack
from chat_core.cache.policy import Decision, bypassed, decide, refused, storable
from chat_core.cache.single_flight import SingleFlight, Ticket
from chat_core.errors import CacheMissed, CacheUnavailable
from chat_core.keys import STREAM_MEMBERS, Uncacheable
from chat_core.observability import Metric
from chat_core.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.cache.access import CacheAccess
    from chat_core.cache.policy import Directives
    from chat_core.keys import Endpoint, KeySpace
    from chat_core.model import ChatModel
    from chat_core.observability import Count

# What the key leaves out and a response repeats: it is never stored, and a hit repeats this request's own.
REPEATED = ("metadata", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "store")


@dataclass(frozen=True, slots=True)
class Reply:
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
        Seconds since the reply was made, 0 unless it is a hit.
    saved_tokens
        What the model would have been paid for, 0 unless it is a hit.
    """

    response: dict[str, Any]
    status: Literal["HIT", "MISS", "BYPASS"]
    cache_status: str
    age: int = 0
    saved_tokens: int = 0

    @property
    def cache(self) -> dict[str, Any]:
        """Our member ``omoide.cache`` of the answer."""
        return {"status": self.status.lower(), "age": self.age, "saved_tokens": self.saved_tokens}

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers that tell of the cache."""
        headers = {"X-Cache": self.status, "Cache-Status": self.cache_status}
        if self.status == "HIT":
            headers["Age"] = str(self.age)
        return headers


@dataclass
class _Question:
    """A request on its way: what it asks, and what the cache has said to it so far."""

    endpoint: Endpoint
    body: Mapping[str, Any]
    directives: Directives
    key: str = ""
    forward: str = "uri-miss"
    details: tuple[str, ...] = field(default=())


class Replies:
    """Replies for one provider, through one cache.

    Parameters
    ----------
    cache
        Where replies are kept.
    model
        See `chat_core.model.port`.
    keys
        Of the provider.
    ttl
        Seconds that a reply is kept; drawn up to a tenth shorter, so that what came together does not go together.
    count
        Takes the metrics.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        cache: CacheAccess,
        model: ChatModel,
        *,
        keys: KeySpace,
        ttl: int,
        count: Count,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._flights = SingleFlight(self._cache)
        self._model = model
        self._keys = keys
        self._ttl = ttl
        self._count = count
        self._clock = clock

    async def respond(
        self,
        body: Mapping[str, Any],
        *,
        scope: str,
        directives: Directives,
        timeout: float,
        alone: bool = False,
        endpoint: Endpoint = "responses",
    ) -> Reply:
        """Get the reply to a request.

        Parameters
        ----------
        body
            The effective request: what goes to the model, but for how the answer is to be sent.
        scope
            The user whose request it is.
        timeout
            Seconds for the model, and for waiting for another's call of it.
        alone
            Whether no other request can have the same key, so that there is no call to share: a turn that has a
            history.
        endpoint
            ``responses`` or ``chat/completions``.

        Raises
        ------
        CacheMissed
            If only a cached reply would do and there is none.
        """
        question = _Question(endpoint, body, directives)
        if directives.clamped:
            question.details = (cache_status.CLAMPED,)
        decision, question.key = self._decide(question, scope)
        failure = ""
        if decision.read:
            try:
                if (found := await self._look(question)) is not None:
                    return self._hit(question, found)
            except CacheUnavailable as error:
                failure = error.reason
        if directives.only_if_cached:
            raise CacheMissed("There is no cached reply to this request.")
        if decision.bypass:
            return self._bypass(question, decision.reason, await self._call(question, timeout))
        if not decision.read:
            question.forward = "request"
        ticket: Ticket[Envelope] = Ticket(timeout, failure=failure)
        if decision.read and decision.write and not alone:
            ticket = await self._flights.join(
                question.key, lambda seconds: self._look(question, seconds), timeout=timeout
            )
        if ticket.found is not None:
            return self._hit(question, ticket.found, collapsed=ticket.waited)
        return await self._ask(question, ticket, write=decision.write)

    def _decide(self, question: _Question, user: str) -> tuple[Decision, str]:
        decision = decide(question.body, question.directives)
        if decision.bypass:
            return decision, ""
        try:
            return decision, self._keys.response_key(question.endpoint, question.body, user=user)
        except Uncacheable:
            return bypassed("uncacheable"), ""

    async def _look(self, question: _Question, timeout: float | None = None) -> Envelope | None:
        """Read the entry, if it may be taken."""
        value = await self._cache.get(question.key, timeout=timeout)
        envelope = unpack(value) if value is not None else None
        if envelope is None:
            return None
        reason = refused(
            stored_at=envelope.stored_at,
            expires_at=envelope.expires_at,
            now=self._clock(),
            directives=question.directives,
        )
        if not reason:
            return envelope
        question.forward = reason
        return None

    async def _ask(self, question: _Question, ticket: Ticket[Envelope], *, write: bool) -> Reply:
        """Ask the model, and store what it answers."""
        start = time.monotonic()
        try:
            answer = await self._call(question, ticket.remaining)
        except BaseException:
            await self._flights.abandon(ticket)
            raise
        if ticket.failure:
            return self._bypass(question, f"cache-{ticket.failure.replace('_', '-')}", answer)
        upstream_ms = round((time.monotonic() - start) * 1000)
        stored = write and await self._cache.hold(self._store(question, ticket, answer, upstream_ms))
        self._count(Metric.CACHE_MISSES)
        return Reply(answer, "MISS", cache_status.forward(question.forward, stored=stored, details=question.details))

    async def _call(self, question: _Question, timeout: float) -> dict[str, Any]:
        upstream = {name: value for name, value in question.body.items() if name not in STREAM_MEMBERS}
        with timed("model"):
            return await self._model.post(question.endpoint, upstream, timeout=timeout)

    async def _store(
        self, question: _Question, ticket: Ticket[Envelope], answer: Mapping[str, Any], upstream_ms: int
    ) -> bool:
        """Store an answer that is whole and give the lease back; tell whether it was stored."""
        now = self._clock()
        ttl = draw_ttl(self._ttl)
        kept = {name: None if name in REPEATED else value for name, value in answer.items()}
        value = pack(Envelope(now, now + ttl, upstream_ms, kept)) if storable(question.endpoint, answer) else None
        try:
            if value is not None and len(value) <= MAX_VALUE_BYTES:
                await self._cache.set(question.key, value, ttl=ttl)
                await self._flights.settle(ticket)
                return True
        except CacheUnavailable:
            pass  # as with an answer that is not for sharing
        await self._flights.disband(ticket)
        return False

    def _hit(self, question: _Question, envelope: Envelope, *, collapsed: bool = False) -> Reply:
        now = self._clock()
        saved = int((envelope.answer.get("usage") or {}).get("total_tokens") or 0)
        self._count(Metric.CACHE_HITS)
        self._count(Metric.TOKENS_SAVED, saved)
        self._count(Metric.UPSTREAM_MS_SAVED, envelope.upstream_ms)
        if collapsed:
            self._count(Metric.CACHE_COLLAPSED)
        status = cache_status.hit(envelope.expires_at - now, collapsed=collapsed, details=question.details)
        answer = _answered_anew(question, envelope.answer)
        return Reply(answer, "HIT", status, age=max(0, int(now - envelope.stored_at)), saved_tokens=saved)

    def _bypass(self, question: _Question, reason: str, answer: dict[str, Any]) -> Reply:
        self._count(Metric.CACHE_BYPASSES, reason=reason)
        return Reply(answer, "BYPASS", cache_status.forward("bypass", details=(reason, *question.details)))


def _answered_anew(question: _Question, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Make the answer to this request of the one that was stored: with an id and a repetition of its own."""
    if question.endpoint != "responses":
        return {**kept, "id": f"chatcmpl-{uuid4().hex}"}
    answer = {**kept, "id": f"resp_{uuid4().hex}"}
    for name in REPEATED:
        if name in answer or name in question.body:
            answer[name] = question.body.get(name)
    answer["metadata"] = question.body.get("metadata") or {}
    return answer
