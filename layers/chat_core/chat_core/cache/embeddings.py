"""Embeddings through the cache, input by input: a batch sends on what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.cache.envelope import VectorEnvelope, draw_ttl, pack_vector, unpack_vector
from chat_core.cache.flow import Found, Made, Question
from chat_core.cache.policy import Decision, forward_reason
from chat_core.cache.vectors import decode_embedding, encode_embedding
from chat_core.errors import CacheUnavailable, UpstreamError
from chat_core.keys import STREAM_MEMBERS, Uncacheable, batch_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.cache.flow import CacheFlow, Provider, Value
    from chat_core.cache.reply import ModelCall, Reply
    from chat_core.cache.vectors import EncodingFormat
    from chat_core.model import Tell

Input = str | list[int]


def inputs_of(body: Mapping[str, Any]) -> list[Input]:
    """List the inputs of a checked request: a text or a list of tokens is one."""
    given = body["input"]
    return [given] if isinstance(given, str) or isinstance(given[0], int) else given


class Embeddings:
    """Vectors of one provider, through one cache.

    Parameters
    ----------
    flow, provider
        As `chat_core.cache.Replies` has them.
    """

    def __init__(self, flow: CacheFlow, provider: Provider) -> None:
        self._flow = flow
        self._provider = provider

    async def embed(self, call: ModelCall, *, timeout: float) -> Reply:
        """Get the vectors of a request's inputs.

        Parameters
        ----------
        timeout
            As for `chat_core.cache.Replies.respond`.

        Raises
        ------
        CacheMissed
            If only cached vectors would do and one is not.
        """
        return await self._flow.answer(_vectors_wanted(call, self._provider), timeout=timeout)


def _vectors_wanted(call: ModelCall, provider: Provider) -> Question:
    try:
        keys = [provider.keys.embedding_key(one, call.body, user=call.user) for one in inputs_of(call.body)]
    except Uncacheable:
        return _AnyVectorsWanted(call, provider, Decision.to_bypass("uncacheable"))
    return _VectorsWanted(call, provider, keys)


class _AnyVectorsWanted(Question):
    """A request that has no key: it goes past the cache as it is."""

    key = ""

    async def read(self, timeout: float | None = None) -> Found | None:
        raise NotImplementedError

    async def ask(self, timeout: float, tell: Tell | None = None) -> Made:
        answer, _ = await self.post(self.call.body, timeout)
        return Made(answer)

    def values(self) -> Sequence[Value]:
        return ()


class _VectorsWanted(Question):
    """A batch: its inputs by their keys, each once, and their vectors as far as they are known."""

    def __init__(self, call: ModelCall, provider: Provider, keys: list[str]) -> None:
        super().__init__(call, provider, Decision.by_directives(call.directives))
        self._keys = keys
        self._inputs: dict[str, Input] = dict(zip(keys, inputs_of(call.body), strict=True))
        self._known: dict[str, VectorEnvelope] = {}
        self._made: dict[str, VectorEnvelope] = {}

    @property
    def key(self) -> str:
        return batch_key(self._unknown)

    @property
    def forward(self) -> str:
        return "partial" if self._known else super().forward

    @property
    def _unknown(self) -> list[str]:
        return [key for key in self._inputs if key not in self._known]

    async def read(self, timeout: float | None = None) -> Found | None:
        """Read what is not known yet. Of another's call the first vector comes last: it tells that all are there."""
        if timeout is not None and await self.provider.cache.get(self._unknown[0], timeout=timeout) is None:
            return None
        values, failure = await self.provider.cache.get_all(self._unknown)
        now = self.provider.clock()
        for key, value in values.items():
            self._take(key, unpack_vector(value), now)
        if not self._unknown:
            return self._found(now)
        if failure and not self._known:
            raise CacheUnavailable(failure)
        return None

    def _take(self, key: str, envelope: VectorEnvelope | None, now: float) -> None:
        if envelope is None:
            return
        reason = forward_reason(
            stored_at=envelope.stored_at, expires_at=envelope.expires_at, now=now, directives=self.call.directives
        )
        if reason:
            self.refusal = reason
        else:
            self._known[key] = envelope

    def _found(self, now: float) -> Found:
        known = self._known.values()
        tokens, upstream_ms = _saved(known)
        response = self._response(self._known[self._keys[0]].model, {})
        age = now - min(one.stored_at for one in known)
        return Found(response, age, min(one.expires_at for one in known) - now, tokens, upstream_ms)

    async def ask(self, timeout: float, tell: Tell | None = None) -> Made:
        """Ask for what is not known, in order."""
        unknown = self._unknown
        body = {name: value for name, value in self.call.body.items() if name not in STREAM_MEMBERS}
        if len(unknown) != len(self._keys):
            body = {**body, "input": [self._inputs[key] for key in unknown]}
        answer, upstream_ms = await self.post(body, timeout)
        self._made = self._envelopes(unknown, answer, upstream_ms)
        response = self._response(str(answer.get("model") or body["model"]), answer.get("usage") or {})
        return Made(response, *_saved(self._known.values()))

    def _envelopes(
        self, unknown: Sequence[str], answer: Mapping[str, Any], upstream_ms: int
    ) -> dict[str, VectorEnvelope]:
        """Take the vectors from the provider's answer, by key, each with its share of what the batch cost."""
        vectors: dict[int, tuple[int, bytes]] = {}
        try:
            for place, one in enumerate(answer["data"]):
                vectors[int(one.get("index", place))] = decode_embedding(one.get("embedding"))
        except (TypeError, ValueError):
            raise UpstreamError("The model's provider answered what is no embedding.") from None
        if sorted(vectors) != list(range(len(unknown))):
            raise UpstreamError("The model's provider did not answer one embedding for each input.")
        paid = (answer.get("usage") or {}).get("prompt_tokens")
        shares = apportion(paid if isinstance(paid, int) else 0, [_weight(self._inputs[key]) for key in unknown])
        times = apportion(upstream_ms, [1] * len(unknown))
        now = self.provider.clock()
        expires_at = now + draw_ttl(self.provider.ttl)
        model = str(answer.get("model") or self.call.body["model"])
        return {
            key: VectorEnvelope(now, expires_at, times[place], shares[place], model, *vectors[place])
            for place, key in enumerate(unknown)
        }

    def values(self) -> Sequence[Value]:
        return [(key, pack_vector(one), one.expires_at - one.stored_at) for key, one in self._made.items()]

    def _response(self, model: str, usage: Mapping[str, Any]) -> dict[str, Any]:
        """Write OpenAI's list in the order of the inputs; what is known counts in usage as when it was made."""
        encoding: EncodingFormat = "base64" if self.call.body.get("encoding_format") == "base64" else "float"
        known = self._known | self._made
        vectors = {key: encode_embedding(one.width, one.numbers, encoding) for key, one in known.items()}
        data = [
            {"object": "embedding", "index": place, "embedding": vectors[key]} for place, key in enumerate(self._keys)
        ]
        tokens, _ = _saved(self._known.values())
        counts = {name: (usage.get(name) or 0) + tokens for name in ("prompt_tokens", "total_tokens")}
        return {"object": "list", "data": data, "model": model, "usage": {**usage, **counts}}


def _saved(known: Iterable[VectorEnvelope]) -> tuple[int, int]:
    """Tell the tokens and milliseconds that vectors from the cache have cost."""
    vectors = list(known)
    return sum(one.tokens for one in vectors), sum(one.upstream_ms for one in vectors)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out by weights, so that the shares add up to it.

    Examples
    --------
    >>> apportion(10, [1, 1, 2])
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
