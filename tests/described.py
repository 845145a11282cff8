"""What the server answers, held against its own description, docs/openapi.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from jsonschema.exceptions import best_match

from tests.schema_unions import validator_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[1] / "docs" / "openapi.json"
OF_THE_SERVER = "x-amzn-requestid"
"""Every answer of the gateway has it; that of the stand-in model, or of AWS, does not."""

_EVENTS = "ResponseStreamEvent"


@cache
def description() -> dict[str, Any]:
    """Read the file."""
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read


@cache
def _validator(reference: str) -> Draft202012Validator:
    return validator_of({"$ref": reference, "components": description()["components"]})


@cache
def _events() -> dict[str, str]:
    """Find the schema of each event by its type: to try all of them on each event would take long."""
    schemas = description()["components"]["schemas"]
    found = {}
    for branch in schemas[_EVENTS].get("anyOf") or schemas[_EVENTS]["oneOf"]:
        kinds = schemas[branch["$ref"].rpartition("/")[2]]["properties"]["type"]
        found.update(dict.fromkeys(kinds.get("enum") or [kinds["const"]], branch["$ref"]))
    return found


@cache
def _forms() -> list[tuple[str, str, re.Pattern[str]]]:
    """Compile the operations' methods and paths, those with fewer parameters first."""
    paths = sorted(description()["paths"].items(), key=lambda pair: pair[0].count("{"))
    return [
        (method.upper(), path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for path, item in paths for method in item
    ]


def operation_of(method: str, path: str) -> tuple[str, str] | None:
    """Find the operation of a request: its method, and its path as the description has it."""
    return next(((one, name) for one, name, form in _forms() if one == method and form.fullmatch(path)), None)


def check(method: str, path: str, status: int, content_type: str, body: str) -> None:
    """Hold an answer against the description.

    Parameters
    ----------
    path
        Percent-encoded, without its query.

    Raises
    ------
    AssertionError
        It is not as described.
    """
    if method == "OPTIONS":  # the browser's own, of no route
        return
    found = operation_of(method, path)
    kind = content_type.partition(";")[0]
    where = f"{method} {path} {status} {kind}"
    if found is None or status >= 400:
        assert found is not None or status in (400, 403, 404, 413), f"{where}: an undescribed route answers"
        assert kind == "application/json", where
        _hold(json.loads(body), "#/components/schemas/ErrorResponse", where)
        return
    operation = description()["paths"][found[1]][method.lower()]
    content = operation["responses"][str(status)]["content"]
    assert kind in content, f"{where}: not a described form"
    schema = content[kind]["schema"]
    if kind == "application/json":
        value = json.loads(body)
        references = [one["$ref"] for one in schema.get("anyOf", [schema])]
        # Of a turn and its dry run, each says which it is.
        dry = isinstance(value, dict) and value.get("object") == "conversation.context"
        _hold(value, references[-1] if dry else references[0], where)
        return
    for event in _frames(body):
        _hold_event(event, schema["$ref"], where)


def _hold_event(event: Any, reference: str, where: str) -> None:
    if "error" in event and "type" not in event and "choices" not in event:  # as OpenAI breaks a chat's stream off
        _hold(event, "#/components/schemas/ErrorResponse", where)
        return
    if reference.endswith(_EVENTS):
        assert event.get("type") in _events(), f"{where}: an undescribed event {event.get('type')}"
        reference = _events()[event["type"]]
    _hold(event, reference, where)


def _frames(body: str) -> Iterator[Any]:
    for frame in body.split("\n\n")[:-1]:
        data = "\n".join(line.removeprefix("data: ") for line in frame.split("\n") if line.startswith("data: "))
        if data and data != "[DONE]":
            yield json.loads(data)


def _hold(value: Any, reference: str, where: str) -> None:
    error = best_match(_validator(reference).iter_errors(value))
    assert error is None, f"{where} at {error.json_path}: {error.message[:500]}"


@dataclass
class Held:
    """Answers that were held against the description as they came."""

    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def answer(self, request: httpx2.Request, response: httpx2.Response, content: bytes, *, whole: bool) -> None:
        """Take an answer; of one that its reader left, what an event stream had told so far."""
        kind = response.headers.get("content-type", "")
        if not whole and not kind.startswith("text/event-stream"):
            return
        path = request.url.raw_path.decode().partition("?")[0]
        try:
            check(request.method, path, response.status_code, kind, content.decode("utf-8", "replace"))
        except (AssertionError, ValueError) as error:
            self.wrong.append(str(error))
        self.checked += 1


class HeldStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body on its way to its reader, of whom it is held when it ends.

    Parameters
    ----------
    stream
        The body.
    done
        Takes what came, and whether that was all.
    """

    def __init__(self, stream: Any, done: Callable[[bytes, bool], None]) -> None:
        self._stream = stream
        self._done = done
        self._content = bytearray()
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._content += piece
            yield piece
        self._end(whole=True)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._content += piece
            yield piece
        self._end(whole=True)

    def close(self) -> None:
        self._end(whole=False)
        self._stream.close()

    async def aclose(self) -> None:
        self._end(whole=False)
        await self._stream.aclose()

    def _end(self, *, whole: bool) -> None:
        if not self._ended:
            self._ended = True
            self._done(bytes(self._content), whole)


def hold_answers(held: Held, patch: Callable[[Any, str, Any], None]) -> None:
    """Have every answer of the server to a client of httpx2 in this process held; OpenAI's SDK is one.

    Parameters
    ----------
    patch
        Sets an attribute, and later sets it back.
    """
    send, send_async = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request

    def wrapped(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if OF_THE_SERVER in response.headers:
            response.stream = HeldStream(
                response.stream, lambda content, whole: held.answer(request, response, content, whole=whole)
            )
        return response

    def handle(self: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        return wrapped(request, send(self, request))

    async def handle_async(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        return wrapped(request, await send_async(self, request))

    patch(httpx2.HTTPTransport, "handle_request", handle)
    patch(httpx2.AsyncHTTPTransport, "handle_async_request", handle_async)
