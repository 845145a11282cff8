"""OpenAI's API, or one that speaks it, over HTTP: the only place that imports ``httpx2``, and only for a model's call.

OpenAI's own SDK would be here for its transport alone: requests and answers pass as they are, and are checked here. It
takes as long to import as all else of a first turn, and a third of the layer.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from chat_core.errors import (
    UpstreamCredentialsRefused,
    UpstreamError,
    UpstreamMisplaced,
    UpstreamRejected,
    UpstreamTimeout,
)
from chat_core.model.streamed import streamed, streaming_body
from chat_core.model.whole import asked_of, whole_answer
from chat_core.model.whole_others import whole_compaction, whole_models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from httpx2 import URL, AsyncClient, Response

    from chat_core.keys import Endpoint
    from chat_core.model.port import Tell

_PASSED_ON = frozenset({400, 404, 413, 422, 429})
_PASSED_ON_HEADERS = ("retry-after", "retry-after-ms")
_MESSAGE_LIMIT = 2_000
_DONE = "[DONE]"
_NO_ROUTE = ("Invalid URL", "Unknown request URL")


class OpenAIModel:
    """A `ModelProvider` over HTTP.

    Parameters
    ----------
    api_key
        Gives the key; called with True after the provider refused the last one.
    base_url
        Of the API, with its version: ``https://api.openai.com/v1``.
    """

    def __init__(self, api_key: Callable[[bool], str], base_url: str) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._client: AsyncClient | None = None
        host = urlsplit(base_url).netloc.rpartition("@")[2]
        self._provider = f"The model's provider at {host}"
        self._broke = f"The connection to the model's provider at {host} broke."
        self._unreadable = f"{self._provider} answered what cannot be read."

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        """Ask one of the provider's endpoints. See `chat_core.model.ChatModel`."""
        call = _Call(endpoint, body, timeout, tell)
        return whole_answer(endpoint, await self._answered(call, timeout), call.asked)

    async def compact(self, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Have a conversation compacted. See `chat_core.model.ModelProvider`."""
        call = _Plain("POST", "responses/compact", timeout, body)
        return whole_compaction(await self._answered(call, timeout), now=int(time.time()))

    async def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """List the provider's models. See `chat_core.model.ModelProvider`."""
        return whole_models(await self._answered(_Plain("GET", "models", timeout), timeout))

    async def _answered(self, call: _Sent, timeout: float) -> object:
        try:
            async with asyncio.timeout(timeout):
                return await self._send_twice(call)
        except TimeoutError:
            raise UpstreamTimeout("The model did not answer in time.") from None

    async def _send_twice(self, call: _Sent) -> object:
        """Send the request, and once more where that may help: a broken connection, a 5xx, a rotated key.

        A 429 is not tried again: the caller's SDK obeys its ``retry-after``.
        """
        import httpx2

        for last_try in (False, True):
            client = await self._connect()
            try:
                answer = await call.send(client)
            except httpx2.TimeoutException:
                raise UpstreamTimeout("The model did not answer in time.") from None
            except _Refused as refused:
                if last_try or not (refused.status >= 500 or refused.status == 401):
                    raise self._translated(refused) from None
                if refused.status == 401:
                    # Other calls are under way on its connections.
                    client.headers["Authorization"] = await self._authorization(refresh=True)
            except (_Broken, httpx2.HTTPError):
                if last_try or call.told:
                    raise UpstreamError(self._broke) from None
            except (ValueError, RecursionError):
                raise UpstreamError(self._unreadable) from None
            else:
                return answer
        raise AssertionError

    async def _authorization(self, *, refresh: bool) -> str:
        return f"Bearer {await asyncio.to_thread(self._api_key, refresh)}"

    async def _connect(self) -> AsyncClient:
        if self._client is None:
            from httpx2 import AsyncClient

            headers = {
                "Authorization": await self._authorization(refresh=False),
                "Content-Type": "application/json",
                "User-Agent": "omoide",
            }
            if self._client is not None:  # another call was faster: its connections are the ones that are closed
                return self._client
            # A base's path is kept only where it ends with a slash, and what follows does not begin with one.
            self._client = AsyncClient(
                base_url=f"{self._base_url.rstrip('/')}/", headers=headers, follow_redirects=True
            )
        return self._client

    def _translated(self, refused: _Refused) -> UpstreamRejected | UpstreamError:
        """Make a refusal our own; one that is the operator's to mend names the provider's host."""
        status, body = refused.status, refused.error
        if status in (401, 403):
            return UpstreamCredentialsRefused(f"{self._provider} refused this service's credentials.")
        if status == 404 and _is_of_the_route(body):
            return UpstreamMisplaced(
                f"{self._provider} has no such route: OPENAI_BASE_URL ends with the API's version, as in …/v1."
            )
        if status not in _PASSED_ON:
            return UpstreamError(f"{self._provider} answered {status}.")
        headers = {name: refused.headers[name] for name in _PASSED_ON_HEADERS if name in refused.headers}
        return UpstreamRejected(
            status=status,
            error={
                "message": str(body.get("message") or f"{self._provider} refused the request.")[:_MESSAGE_LIMIT],
                "type": str(body.get("type") or "invalid_request_error"),
                "param": _text_or_none(body.get("param")),
                "code": _text_or_none(body.get("code")),
            },
            headers=headers,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


class _Refused(Exception):
    """The provider answered with an error's status.

    Parameters
    ----------
    response
        Its answer, read.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.status = response.status_code
        self.headers = response.headers
        self.error: Mapping[str, Any] = {}
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return
        error = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(error, dict):
            self.error = error


class _Broken(Exception):
    """The provider told of an error in the midst of its stream."""


class _Sent(Protocol):
    """A request on its way.

    Attributes
    ----------
    told
        Whether something of the answer was told: from then on it cannot be asked for again.
    """

    told: bool

    async def send(self, client: AsyncClient) -> object:
        """Send it, and return the answer; raises `_Refused`, `_Broken`, and what the client does."""
        ...


class _Plain:
    """A request whose answer comes whole."""

    def __init__(
        self, method: Literal["GET", "POST"], path: str, timeout: float, body: Mapping[str, Any] | None = None
    ) -> None:
        self.told = False
        self._method = method
        self._path = path
        self._timeout = timeout
        self._body = body

    async def send(self, client: AsyncClient) -> object:
        """See `_Sent`."""
        content = None if self._body is None else _written(self._body)
        address = _address(client.base_url, self._path)
        response = await client.request(self._method, address, content=content, timeout=self._timeout)
        return _read(response)


class _Call:
    """A request for a reply, which may be told as it comes.

    Attributes
    ----------
    told
        See `_Sent`.
    asked
        What its answer is made whole from.
    """

    def __init__(self, endpoint: Endpoint, body: Mapping[str, Any], timeout: float, tell: Tell | None) -> None:
        self.told = False
        self.asked = asked_of(endpoint, body, now=int(time.time()))
        self._endpoint = endpoint
        self._body = body
        self._timeout = timeout
        self._tell = tell

    async def send(self, client: AsyncClient) -> object:
        """See `_Sent`."""
        if self._tell is None:
            return await _Plain("POST", self._endpoint, self._timeout, self._body).send(client)
        content = _written(streaming_body(self._endpoint, self._body))
        address = _address(client.base_url, self._endpoint)
        async with client.stream("POST", address, content=content, timeout=self._timeout) as response:
            if response.is_success and "json" not in response.headers.get("content-type", ""):
                return await self._streamed(response, self._tell)
            await response.aread()  # it refuses, or does not stream
            return _read(response)

    async def _streamed(self, response: Response, tell: Tell) -> dict[str, Any]:
        from httpx2 import EventSource

        answer = streamed(self._endpoint, self.asked)
        async for sent in EventSource(response, max_event_size=None):
            if sent.data.startswith(_DONE):
                break
            if not sent.data:
                continue
            event = sent.json()
            if isinstance(event, dict) and event.get("error"):
                raise _Broken
            for telling in answer.take(event):
                self.told = True
                tell(telling)
        return answer.answer()


@lru_cache(maxsize=16)
def _address(base: URL, path: str) -> URL:
    """Give the address of an endpoint, which the client would parse anew for each call."""
    return base.copy_with(raw_path=base.raw_path + path.encode())


def _written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _read(response: Response) -> object:
    """Read a whole answer; what is no JSON comes as it is."""
    if not response.is_success:
        raise _Refused(response)
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    return response.json() if kind.endswith("json") else response.text


def _is_of_the_route(body: Mapping[str, Any]) -> bool:
    """Tell a 404 about the address from one about a thing, such as a model: OpenAI's words, or none of its envelope."""
    message = body.get("message")
    return not message or body.get("code") == "unknown_url" or str(message).startswith(_NO_ROUTE)


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
