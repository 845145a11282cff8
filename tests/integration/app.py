"""Both functions in this process, through their `lambda_handler`s, on real clients of embedded servers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from local.application import read_application
from local.events import proxy_event
from local.messages import HttpRequest
from local.routing import Router

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento

ROOT = Path(__file__).parents[2]


@cache
def application() -> Any:
    """The application that template.yaml describes."""
    return read_application(ROOT / "template.yaml")


@dataclass(frozen=True)
class Context:
    """A Lambda context with so much time left."""

    seconds: float = 28.0
    function_name: str = "test"
    function_version: str = "1"
    memory_limit_in_mb: str = "1024"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; its body is what JSON says, or the text of a stream."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def error(self) -> dict[str, Any]:
        assert self.status >= HTTPStatus.BAD_REQUEST, self.body
        error: dict[str, Any] = self.body["error"]
        return error


@dataclass(frozen=True)
class App:
    """The application, and the embedded servers behind it."""

    model: StandInModel
    momento: EmbeddedMomento
    calls_before: int = 0
    calls_before_all: int = 0

    @property
    def model_calls(self) -> int:
        """How often this test has called the model for a response."""
        return self.model.calls["/v1/responses"] - self.calls_before

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = "local",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        seconds: float = 28.0,
    ) -> Answer:
        """Send a request as API Gateway would. ``body`` is JSON, or bytes as they are."""
        event = self._event(method, path, body, user=user, headers=headers or {}, query=query or {})
        return self.invoke(*event, seconds=seconds)

    def _event(
        self, method: str, path: str, body: object, *, user: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> tuple[str, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = list({"content-type": "application/json", "x-local-user": user, **headers}.items())
        request = HttpRequest(method, path, urlencode(query), tuple(sent), raw, "127.0.0.1")
        match = Router(application().routes).match(method, path)
        assert match is not None, f"{method} {path} is no route of template.yaml"
        event = proxy_event(request, match, request_id="test-request", trace_id="trace", now=0.0)
        return match.route.function, event

    def stream(
        self,
        path: str,
        body: object,
        *,
        user: str = "local",
        headers: Mapping[str, str] | None = None,
        seconds: float = 28.0,
        see: Callable[[bytes], None] = lambda _: None,
    ) -> Answer:
        """Post a request through `streaming_handler`; ``see`` takes each piece of the body as it leaves."""
        _, event = self._event("POST", path, body, user=user, headers=headers or {}, query={})
        return self.invoke_streaming(event, seconds=seconds, see=see)

    def invoke_streaming(
        self, event: dict[str, Any], *, seconds: float = 28.0, see: Callable[[bytes], None] = lambda _: None
    ) -> Answer:
        """Invoke the function that streams as its runtime loop does."""
        from chat.handler import streaming_handler

        parts: list[Any] = []

        def send(part: Any) -> None:
            parts.append(part)
            if isinstance(part, bytes):
                see(part)

        streaming_handler(event, Context(seconds), send)
        head, *pieces = parts
        return _answer(head, b"".join(pieces).decode())

    def invoke(self, function: str, event: dict[str, Any], *, seconds: float = 28.0) -> Answer:
        """Invoke a function by its name in template.yaml."""
        from chat.handler import lambda_handler as chat
        from history.handler import lambda_handler as history

        handler = chat if function.startswith("Chat") else history
        answer = handler(event, Context(seconds))
        return _answer(answer, answer["body"])

    def turn(self, conversation: str, text: object, **more: Any) -> Answer:
        """Post one turn; members of the body by name, `call`'s own arguments by theirs."""
        own = {name: more.pop(name) for name in ("user", "headers", "seconds") if name in more}
        body = {"model": "gpt-4.1-mini", "conversation": conversation, "input": text, **more}
        return self.call("POST", "/v1/responses", body, **own)


def _answer(head: Mapping[str, Any], text: str) -> Answer:
    found = {name.lower(): values[-1] for name, values in head["multiValueHeaders"].items()}
    return Answer(head["statusCode"], found, text if found["content-type"].startswith("text/") else json.loads(text))
