"""The model's reply to a request: from the response cache where the rules allow it, from the model otherwise."""

from __future__ import annotations

import json
import random
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.cache_policy import Decision, Directives, decide, storable
from chat_core.errors import CacheMissed, CacheUnavailable
from chat_core.keys import Uncacheable, response_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.ports import ChatModel, ResponseCache

CONNECT_TIMEOUT = 0.5
CALL_TIMEOUT = 0.05
TTL_JITTER = 0.1
MAX_VALUE_BYTES = 5_000_000
# What the key leaves out and the response repeats: a hit repeats this request's own.
REPEATED = ("metadata", "user", "safety_identifier", "prompt_cache_key", "store")


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and how it was had.

    Parameters
    ----------
    response
        OpenAI's response object.
    status
        ``HIT``, ``MISS`` or ``BYPASS``.
    detail
        For ``Cache-Status`` (RFC 9211): ``hit; ttl=…`` or ``fwd=…``.
    age
        Seconds since the reply was made, 0 unless it is a hit.
    saved_tokens
        What the model would have been paid for, 0 unless it is a hit.
    """

    response: dict[str, Any]
    status: str
    detail: str
    age: int = 0
    saved_tokens: int = 0

    @property
    def cache(self) -> dict[str, Any]:
        """Our member ``omoide.cache`` of the answer."""
        return {"status": self.status.lower(), "age": self.age, "saved_tokens": self.saved_tokens}

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers that tell of the cache."""
        headers = {"X-Cache": self.status, "Cache-Status": f"omoide; {self.detail}"}
        if self.status == "HIT":
            headers["Age"] = str(self.age)
        return headers


class Replies:
    """Replies for one provider, through one cache.

    Parameters
    ----------
    cache, model
        See `chat_core.ports`.
    base_url
        The provider's: the same model name at another address is another model.
    ttl
        Seconds that a reply is kept; drawn up to a tenth shorter, so that what came together does not go together.
    epoch
        In every key.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        cache: ResponseCache,
        model: ChatModel,
        *,
        base_url: str,
        ttl: int,
        epoch: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._model = model
        self._base_url = base_url
        self._ttl = ttl
        self._epoch = epoch
        self._clock = clock
        self._connected = False

    async def respond(self, body: Mapping[str, Any], *, scope: str, directives: Directives, timeout: float) -> Reply:
        """Get the reply to a request to the Responses API.

        Parameters
        ----------
        body
            The effective request: what goes to the model.
        scope
            Who may share the reply.
        timeout
            Seconds for the model.

        Raises
        ------
        CacheMissed
            If only a cached reply would do and there is none.
        """
        decision = decide(body, directives)
        key = ""
        if not decision.bypass:
            try:
                key = response_key("responses", body, scope=scope, base_url=self._base_url, epoch=self._epoch)
            except Uncacheable:
                decision = Decision(read=False, write=False, reason="uncacheable")
        if decision.read:
            try:
                if hit := await self._read(key, body, directives):
                    return hit
            except CacheUnavailable as error:
                decision = Decision(read=False, write=False, reason=f"cache-{error.reason}".replace("_", "-"))
        if directives.only_if_cached:
            raise CacheMissed("There is no cached reply to this request.")
        response = await self._model.respond(body, timeout=timeout)
        if decision.bypass:
            return Reply(response, "BYPASS", f"fwd=bypass; detail={decision.reason}")
        stored = decision.write and storable(response) and await self._write(key, response)
        reason = "uri-miss" if decision.read else "request"
        return Reply(response, "MISS", f"fwd={reason}; stored" if stored else f"fwd={reason}")

    async def _read(self, key: str, body: Mapping[str, Any], directives: Directives) -> Reply | None:
        value = await self._cache.get(key, timeout=CALL_TIMEOUT if self._connected else CONNECT_TIMEOUT)
        self._connected = True
        envelope = unpack(value) if value is not None else None
        if envelope is None:
            return None
        now = self._clock()
        age = max(0, int(now - envelope["stored_at"]))
        if directives.max_age is not None and age > directives.max_age:
            return None
        response = {**envelope["response"], "id": new_response_id()}
        for name in REPEATED:
            if name in response or name in body:
                response[name] = body.get(name)
        response["metadata"] = body.get("metadata") or {}
        saved = int((response.get("usage") or {}).get("total_tokens") or 0)
        ttl = int(envelope["expires_at"] - now)
        return Reply(response, "HIT", f"hit; ttl={ttl}", age=age, saved_tokens=saved)

    async def _write(self, key: str, response: Mapping[str, Any]) -> bool:
        now = self._clock()
        ttl = self._ttl * (1 - TTL_JITTER * random.random())  # noqa: S311 - spreads expiry, guards nothing
        value = pack({"stored_at": now, "expires_at": now + ttl, "response": response})
        if len(value) > MAX_VALUE_BYTES:
            return False
        try:
            await self._cache.set(key, value, ttl=ttl, timeout=CALL_TIMEOUT if self._connected else CONNECT_TIMEOUT)
        except CacheUnavailable:
            return False
        return True


def new_response_id() -> str:
    """Draw a response's id."""
    return f"resp_{uuid4().hex}"


_PLAIN = b"\x01"
_DEFLATED = b"\x02"


def pack(envelope: Mapping[str, Any]) -> bytes:
    """Write a cached value: a byte for the form, then JSON, deflated when that is smaller."""
    plain = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    deflated = zlib.compress(plain, 6)
    return _DEFLATED + deflated if len(deflated) < len(plain) else _PLAIN + plain


def unpack(value: bytes) -> dict[str, Any] | None:
    """Read a cached value; None for one of another form, or one that is damaged: a miss, not an error."""
    form, data = value[:1], value[1:]
    try:
        if form == _DEFLATED:
            data = zlib.decompress(data)
        elif form != _PLAIN:
            return None
        envelope = json.loads(data)
    except (zlib.error, ValueError):
        return None
    whole = (
        isinstance(envelope, dict)
        and isinstance(envelope.get("response"), dict)
        and all(isinstance(envelope.get(name), int | float) for name in ("stored_at", "expires_at"))
    )
    return envelope if whole else None
