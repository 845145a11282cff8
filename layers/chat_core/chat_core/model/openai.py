"""OpenAI's API, or one that speaks it: the only place that imports ``openai``, and only when a model is called."""

from __future__ import annotations

import asyncio
import time
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

    from openai import APIStatusError, AsyncOpenAI, AsyncStream
    from openai._types import RequestOptions

    from chat_core.keys import Endpoint
    from chat_core.model.port import Tell

_PASSED_ON = frozenset({400, 404, 413, 422, 429})
_PASSED_ON_HEADERS = ("retry-after", "retry-after-ms")
_MESSAGE_LIMIT = 2_000
_NO_ROUTE = ("Invalid URL", "Unknown request URL")


class OpenAIModel:
    """A `ModelProvider` on OpenAI's asynchronous client.

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
        self._client: AsyncOpenAI | None = None
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
        call = _Plain("POST", "/responses/compact", timeout, body)
        return whole_compaction(await self._answered(call, timeout), now=int(time.time()))

    async def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """List the provider's models. See `chat_core.model.ModelProvider`."""
        return whole_models(await self._answered(_Plain("GET", "/models", timeout), timeout))

    async def _answered(self, call: _Sent, timeout: float) -> object:
        try:
            async with asyncio.timeout(timeout):
                return await self._send_twice(call)
        except TimeoutError:
            raise UpstreamTimeout("The model did not answer in time.") from None

    async def _send_twice(self, call: _Sent) -> object:
        """Send the request, and once more where that may help: a broken connection, a 5xx, a rotated key.

        The SDK's own retries stay off: it would sleep through a 429 that the caller's SDK handles better.
        """
        import httpx2
        import openai

        for last_try in (False, True):
            client = await self._connect(refresh=last_try)
            try:
                answer = await call.send(client)
            except openai.APITimeoutError:
                raise UpstreamTimeout("The model did not answer in time.") from None
            except openai.APIStatusError as error:
                if last_try or not (error.status_code >= 500 or error.status_code == 401):
                    raise self._translated(error) from None
                if error.status_code == 401:
                    await self.aclose()
            except (openai.OpenAIError, httpx2.HTTPError):
                if last_try or call.told:
                    raise UpstreamError(self._broke) from None
            except (ValueError, RecursionError):
                raise UpstreamError(self._unreadable) from None
            else:
                return answer
        raise AssertionError

    async def _connect(self, *, refresh: bool) -> AsyncOpenAI:
        if self._client is None:
            from openai import AsyncOpenAI

            api_key = await asyncio.to_thread(self._api_key, refresh)
            self._client = AsyncOpenAI(api_key=api_key, base_url=self._base_url, max_retries=0)
        return self._client

    def _translated(self, error: APIStatusError) -> UpstreamRejected | UpstreamError:
        """Make a refusal our own; one that is the operator's to mend names the provider's host."""
        body = error.body if isinstance(error.body, dict) else {}
        if error.status_code in (401, 403):
            return UpstreamCredentialsRefused(f"{self._provider} refused this service's credentials.")
        if error.status_code == 404 and _is_of_the_route(body):
            return UpstreamMisplaced(
                f"{self._provider} has no such route: OPENAI_BASE_URL ends with the API's version, as in …/v1."
            )
        if error.status_code not in _PASSED_ON:
            return UpstreamError(f"{self._provider} answered {error.status_code}.")
        headers = {name: error.response.headers[name] for name in _PASSED_ON_HEADERS if name in error.response.headers}
        return UpstreamRejected(
            status=error.status_code,
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
            await self._client.close()
            self._client = None


class _Sent(Protocol):
    """A request on its way.

    Attributes
    ----------
    told
        Whether something of the answer was told: from then on it cannot be asked for again.
    """

    told: bool

    async def send(self, client: AsyncOpenAI) -> object:
        """Send it, and return the answer; raises what the SDK and its transport do."""
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

    async def send(self, client: AsyncOpenAI) -> object:
        """See `_Sent`."""
        options: RequestOptions = {"timeout": self._timeout}
        if self._method == "GET":
            return await client.get(self._path, cast_to=object, options=options)
        return await client.post(self._path, cast_to=object, body=dict(self._body or {}), options=options)


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

    async def send(self, client: AsyncOpenAI) -> object:
        """Send it, and return the answer; raises what the SDK and its transport do."""
        path = f"/{self._endpoint}"
        if self._tell is None:
            return await client.post(path, cast_to=object, body=dict(self._body), options={"timeout": self._timeout})
        from openai import AsyncStream

        stream = await client.post(
            path,
            cast_to=object,
            body=streaming_body(self._endpoint, self._body),
            options={"timeout": self._timeout},
            stream=True,
            stream_cls=AsyncStream[object],
        )
        async with stream:
            if "json" in stream.response.headers.get("content-type", ""):  # the provider does not stream
                await stream.response.aread()
                return stream.response.json()
            return await self._read(stream, self._tell)

    async def _read(self, stream: AsyncStream[object], tell: Tell) -> dict[str, Any]:
        answer = streamed(self._endpoint, self.asked)
        async for event in stream:
            for telling in answer.take(event):
                self.told = True
                tell(telling)
        return answer.answer()


def _is_of_the_route(body: Mapping[str, Any]) -> bool:
    """Tell a 404 about the address from one about a thing, such as a model: OpenAI's words, or none of its envelope."""
    message = body.get("message")
    return not message or body.get("code") == "unknown_url" or str(message).startswith(_NO_ROUTE)


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
