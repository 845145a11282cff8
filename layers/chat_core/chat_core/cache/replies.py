"""The model's reply to a request: from the response cache where the rules allow it, from the model otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.cache.envelope import MAX_VALUE_BYTES, Envelope, draw_ttl, pack, unpack
from chat_core.cache.flow import Found, Made, Question
from chat_core.cache.policy import Decision, decide, forward_reason, storable
from chat_core.keys import STREAM_MEMBERS, Uncacheable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.cache.flow import CacheFlow, Provider, Value
    from chat_core.cache.reply import Listener, ModelCall, Reply
    from chat_core.model import Tell

# What the key leaves out and a response repeats: it is never stored, and a hit repeats this request's own.
REPEATED = ("metadata", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "store")


class Replies:
    """Replies of one provider, through one cache.

    Parameters
    ----------
    flow
        The way through the cache.
    provider
        Whose they are.
    """

    def __init__(self, flow: CacheFlow, provider: Provider) -> None:
        self._flow = flow
        self._provider = provider

    async def respond(
        self, call: ModelCall, *, timeout: float, alone: bool = False, listener: Listener | None = None
    ) -> Reply:
        """Get the reply to a request to the Responses API or to Chat Completions.

        Parameters
        ----------
        timeout, alone, listener
            See `chat_core.cache.CacheFlow.answer`; a turn that has a history is alone.

        Raises
        ------
        CacheMissed
            If only a cached reply would do and there is none.
        """
        question = _reply_wanted(call, self._provider)
        return await self._flow.answer(question, timeout=timeout, alone=alone, listener=listener)


def _reply_wanted(call: ModelCall, provider: Provider) -> _ReplyWanted:
    decision, key = Decision.to_bypass(call.bypass) if call.bypass else decide(call.body, call.directives), ""
    if not decision.bypass:
        try:
            key = provider.keys.response_key(call.endpoint, call.body, user=call.user)
        except Uncacheable:
            decision = Decision.to_bypass("uncacheable")
    return _ReplyWanted(call, provider, decision, key)


class _ReplyWanted(Question):
    """A request for one reply, which is one value."""

    def __init__(self, call: ModelCall, provider: Provider, decision: Decision, key: str) -> None:
        super().__init__(call, provider, decision)
        self._key = key
        self._answer: dict[str, Any] = {}
        self._upstream_ms = 0

    @property
    def key(self) -> str:
        return self._key

    async def read(self, timeout: float | None = None) -> Found | None:
        value = await self.provider.cache.get(self._key, timeout=timeout)
        envelope = unpack(value) if value is not None else None
        if envelope is None:
            return None
        now = self.provider.clock()
        reason = forward_reason(
            stored_at=envelope.stored_at, expires_at=envelope.expires_at, now=now, directives=self.call.directives
        )
        if reason:
            self.refusal = reason
            return None
        answer = _renew(self.call, envelope.answer)
        tokens = int((answer.get("usage") or {}).get("total_tokens") or 0)
        return Found(answer, now - envelope.stored_at, envelope.expires_at - now, tokens, envelope.upstream_ms)

    async def ask(self, timeout: float, tell: Tell | None = None) -> Made:
        ours = ("stream",) if tell else STREAM_MEMBERS
        body = {name: value for name, value in self.call.body.items() if name not in ours}
        self._answer, self._upstream_ms = await self.post(body, timeout, tell)
        return Made(self._answer)

    def values(self) -> Sequence[Value]:
        """Keep an answer that is whole, unless it is larger than the cache takes."""
        if not storable(self.call.endpoint, self._answer):
            return ()
        now, ttl = self.provider.clock(), draw_ttl(self.provider.ttl)
        kept = {name: None if name in REPEATED else value for name, value in self._answer.items()}
        value = pack(Envelope(now, now + ttl, self._upstream_ms, kept))
        return ((self._key, value, ttl),) if len(value) <= MAX_VALUE_BYTES else ()


def _renew(call: ModelCall, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Make the answer to this request of the one that was stored: with an id and a repetition of its own."""
    if call.endpoint != "responses":
        return {**kept, "id": f"chatcmpl-{uuid4().hex}"}
    answer = {**kept, "id": f"resp_{uuid4().hex}"}
    for name in REPEATED:
        if name in answer or name in call.body:
            answer[name] = call.body.get(name)
    answer["metadata"] = call.body.get("metadata") or {}
    return answer
