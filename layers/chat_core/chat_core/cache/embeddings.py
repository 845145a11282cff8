"""Embeddings through the cache, input by input: a batch sends on what is not known."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chat_core.cache import status as cache_status
from chat_core.cache.envelope import VectorEnvelope, draw_ttl, pack_vector, unpack_vector
from chat_core.cache.policy import refused
from chat_core.cache.replies import Reply
from chat_core.cache.single_flight import SingleFlight, Ticket
from chat_core.cache.vectors import encoded, packed
from chat_core.errors import CacheMissed, CacheUnavailable, UpstreamError
from chat_core.keys import Uncacheable, batch_key
from chat_core.observability import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.cache.access import CacheAccess
    from chat_core.cache.policy import Directives
    from chat_core.cache.vectors import EncodingFormat
    from chat_core.keys import KeySpace
    from chat_core.model import ChatModel
    from chat_core.observability import Count

Input = str | list[int]
Known = dict[str, VectorEnvelope]


def inputs_of(body: Mapping[str, Any]) -> list[Input]:
    """List the inputs of a checked request: a text or a list of tokens is one."""
    given = body["input"]
    return [given] if isinstance(given, str) or isinstance(given[0], int) else given


@dataclass
class _Batch:
    """A request on its way: its inputs by their keys, each once, and what the cache has said so far."""

    body: Mapping[str, Any]
    directives: Directives
    keys: list[str]
    inputs: dict[str, Input]
    known: Known = field(default_factory=dict)
    refusal: str = ""
    failure: str = ""

    @property
    def unknown(self) -> list[str]:
        return [key for key in self.inputs if key not in self.known]


class Embeddings:
    """Vectors for one provider, through one cache.

    Parameters
    ----------
    cache
        Where replies are kept.
    model
        See `chat_core.model.port`.
    keys, ttl, count, clock
        As `chat_core.cache.Replies` has them.
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

    async def embed(self, body: Mapping[str, Any], *, scope: str, directives: Directives, timeout: float) -> Reply:
        """Get the vectors of a request's inputs.

        Parameters
        ----------
        body
            OpenAI's request, checked.
        scope, directives, timeout
            As for `chat_core.cache.Replies.respond`.

        Raises
        ------
        CacheMissed
            If only cached vectors would do and one is not.
        """
        try:
            keys = [self._keys.embedding_key(one, body, user=scope) for one in inputs_of(body)]
        except Uncacheable:
            return await self._uncacheable(body, directives, timeout)
        batch = _Batch(body, directives, keys, dict(zip(keys, inputs_of(body), strict=True)))
        reads = not directives.no_cache and directives.max_age != 0
        if reads:
            await self._look(batch)
        if not batch.unknown:
            return self._hit(batch)
        if directives.only_if_cached:
            raise CacheMissed("Not every input has a cached vector.")
        ticket: Ticket[bool] = Ticket(timeout)
        if reads and not directives.no_store:
            ticket = await self._flights.join(
                batch_key(batch.unknown), lambda seconds: self._landed(batch, seconds), timeout=timeout
            )
        if ticket.found:
            return self._hit(batch, collapsed=ticket.waited)
        return await self._ask(batch, ticket)

    async def _look(self, batch: _Batch) -> None:
        """Read the vectors that are not known yet."""
        values, batch.failure = await self._cache.get_all(batch.unknown)
        now = self._clock()
        for key, value in values.items():
            envelope = unpack_vector(value)
            if envelope is None:
                continue
            refusal = refused(
                stored_at=envelope.stored_at,
                expires_at=envelope.expires_at,
                now=now,
                directives=batch.directives,
            )
            if refusal:
                batch.refusal = refusal
            else:
                batch.known[key] = envelope

    async def _landed(self, batch: _Batch, timeout: float) -> bool | None:
        """Tell whether another's call has brought what was missing; its first vector comes before the others."""
        first = batch.unknown[0]
        if await self._cache.get(first, timeout=timeout) is None:
            return None
        await self._look(batch)
        return None if batch.unknown else True

    async def _ask(self, batch: _Batch, ticket: Ticket[bool]) -> Reply:
        """Ask the model for what is not known, in order, and store what it answers."""
        unknown = batch.unknown
        whole = len(unknown) == len(batch.keys)
        body = batch.body if whole else {**batch.body, "input": [batch.inputs[key] for key in unknown]}
        start = time.monotonic()
        try:
            answer = await self._model.post("embeddings", body, timeout=ticket.remaining)
            made = self._envelopes(batch, unknown, answer, round((time.monotonic() - start) * 1000))
        except BaseException:
            await self._flights.abandon(ticket)
            raise
        known = batch.known | made
        tokens = sum(batch.known[key].tokens for key in batch.keys if key in batch.known)
        result = self._answer(batch, known, str(answer.get("model") or body["model"]), answer.get("usage"))
        details = (cache_status.CLAMPED,) if batch.directives.clamped else ()
        failure = ticket.failure or ("" if batch.known else batch.failure)
        if failure and not ticket.lease:
            reason = f"cache-{failure.replace('_', '-')}"
            self._count(Metric.CACHE_BYPASSES, reason=reason)
            return Reply(result, "BYPASS", cache_status.forward("bypass", details=(reason, *details)), 0, tokens)
        stored = not batch.directives.no_store and await self._cache.hold(self._store(ticket, made), size=len(made))
        self._count(Metric.CACHE_MISSES)
        self._count(Metric.TOKENS_SAVED, tokens)
        forward = "partial" if batch.known else batch.refusal or "uri-miss"
        if batch.directives.no_cache or batch.directives.max_age == 0:
            forward = "request"
        return Reply(result, "MISS", cache_status.forward(forward, stored=stored, details=details), 0, tokens)

    def _envelopes(
        self, batch: _Batch, unknown: Sequence[str], answer: Mapping[str, Any], upstream_ms: int
    ) -> dict[str, VectorEnvelope]:
        """Take the vectors from the provider's answer, by key, each with its share of what the batch cost."""
        vectors: dict[int, tuple[int, bytes]] = {}
        try:
            for place, one in enumerate(answer["data"]):
                vectors[int(one.get("index", place))] = packed(one.get("embedding"))
        except (TypeError, ValueError):
            raise UpstreamError("The model's provider answered what is no embedding.") from None
        if sorted(vectors) != list(range(len(unknown))):
            raise UpstreamError("The model's provider did not answer one embedding for each input.")
        paid = (answer.get("usage") or {}).get("prompt_tokens")
        shares = apportioned(paid if isinstance(paid, int) else 0, [_weight(batch.inputs[key]) for key in unknown])
        times = apportioned(upstream_ms, [1] * len(unknown))
        now = self._clock()
        expires_at = now + draw_ttl(self._ttl)
        model = str(answer.get("model") or batch.body["model"])
        return {
            key: VectorEnvelope(now, expires_at, times[place], shares[place], model, *vectors[place])
            for place, key in enumerate(unknown)
        }

    async def _store(self, ticket: Ticket[bool], made: Mapping[str, VectorEnvelope]) -> bool:
        values = [
            (key, pack_vector(envelope), envelope.expires_at - envelope.stored_at) for key, envelope in made.items()
        ]
        # The first one last: who waits looks for it.
        stored = await self._cache.set_all(values[1:])
        try:
            await self._cache.set(values[0][0], values[0][1], ttl=values[0][2])
        except CacheUnavailable:
            stored = False
        await self._flights.settle(ticket)
        return stored

    def _hit(self, batch: _Batch, *, collapsed: bool = False) -> Reply:
        now = self._clock()
        saved = sum(batch.known[key].tokens for key in batch.keys)
        self._count(Metric.CACHE_HITS)
        self._count(Metric.TOKENS_SAVED, saved)
        self._count(Metric.UPSTREAM_MS_SAVED, sum(one.upstream_ms for one in batch.known.values()))
        if collapsed:
            self._count(Metric.CACHE_COLLAPSED)
        answer = self._answer(batch, batch.known, batch.known[batch.keys[0]].model, None)
        ttl = min(one.expires_at for one in batch.known.values()) - now
        age = max(now - one.stored_at for one in batch.known.values())
        details = (cache_status.CLAMPED,) if batch.directives.clamped else ()
        status = cache_status.hit(ttl, collapsed=collapsed, details=details)
        return Reply(answer, "HIT", status, age=max(0, int(age)), saved_tokens=saved)

    def _answer(self, batch: _Batch, known: Known, model: str, usage: object) -> dict[str, Any]:
        """Write OpenAI's list in the order of the inputs; its usage is what this request was paid for."""
        encoding: EncodingFormat = "base64" if batch.body.get("encoding_format") == "base64" else "float"
        vectors = {key: encoded(one.width, one.numbers, encoding) for key, one in known.items()}
        data = [
            {"object": "embedding", "index": place, "embedding": vectors[key]} for place, key in enumerate(batch.keys)
        ]
        nothing = {"prompt_tokens": 0, "total_tokens": 0}
        return {"object": "list", "data": data, "model": model, "usage": usage or nothing}

    async def _uncacheable(self, body: Mapping[str, Any], directives: Directives, timeout: float) -> Reply:
        if directives.only_if_cached:
            raise CacheMissed("This request has no cached vectors.")
        self._count(Metric.CACHE_BYPASSES, reason="uncacheable")
        answer = await self._model.post("embeddings", body, timeout=timeout)
        return Reply(answer, "BYPASS", cache_status.forward("bypass", details=("uncacheable",)))


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out by weights, so that the shares add up to it.

    Examples
    --------
    >>> apportioned(10, [1, 1, 2])
    [2, 3, 5]
    """
    shares, seen, given, whole = [], 0, 0, sum(weights)
    for weight in weights:
        seen += weight
        until = total * seen // whole
        shares.append(until - given)
        given = until
    return shares


def _weight(one: Input) -> int:
    return len(one.encode()) if isinstance(one, str) else len(one)
