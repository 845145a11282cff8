"""The HTTP side of the stand-in: one connection, its requests and answers."""

from __future__ import annotations

import json
import logging
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol

from local.model import chat_completions, compaction, embeddings, responses
from local.model.conversation import fingerprint
from local.model.errors import ApiError, bad_request
from local.model.faults import NO_FAULT, Fault
from local.model.streams import Piece, stream_of

if TYPE_CHECKING:
    from collections.abc import Iterator


_log = logging.getLogger(__name__)

_COMPACT = "/v1/responses/compact"
_POSTS = frozenset({"/v1/responses", "/v1/chat/completions", "/v1/embeddings", _COMPACT})
_MODELS = "/v1/models"
ROUTES = _POSTS | {_MODELS}
# Any name is answered; these are the ones that it lists.
_MODEL_NAMES = ("gpt-4.1-mini", "text-embedding-3-small")

Json = dict[str, Any]


class Controls(Protocol):
    """What the server's owner wants to know of a call and to decide about it."""

    def arrived(self, path: str) -> None:
        """Count a call."""

    def understood(self, body: Json) -> Fault:
        """Keep a request's body and return the fault of its call."""

    def wait(self, seconds: float) -> None:
        """Let so much time pass, less when the server stops."""

    def next_token(self, number: int) -> None:
        """Let the time pass that a token of a stream takes, the first being number 0."""


class Handler(BaseHTTPRequestHandler):
    """Answers OpenAI's routes; :class:`local.model.server.Server` makes one a connection."""

    protocol_version = "HTTP/1.1"
    # An answer of two small packets would else wait for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    controls: Controls

    def do_GET(self) -> None:
        """Answer ``GET``."""
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log a request's line and status, for who asks for debug logs."""
        _log.debug(format, *args)

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        fault = NO_FAULT
        try:
            self._check_route(path)
            if path == _MODELS:
                self._send_json(200, _models(), NO_FAULT)
                return
            body = _parsed(content)
            fault = self.controls.understood(body)
            self.controls.wait(fault.delay)
            self._send_answer(path, body, fault)
        except ApiError as error:
            self._send_json(error.status, error.envelope(), NO_FAULT, headers=error.headers)
        except OSError:
            raise
        except Exception as error:
            # By its kind alone: the error's text may hold contents.
            _log.error("the stand-in model failed: %s", type(error).__name__)
            self._send_json(500, ApiError(500, "The stand-in model failed.").envelope(), NO_FAULT)

    def _check_route(self, path: str) -> None:
        if path not in (_POSTS if self.command == "POST" else {_MODELS} if self.command == "GET" else ()):
            raise ApiError(404, f"Invalid URL ({self.command} {path})", code="unknown_url")
        self.controls.arrived(path)
        kind, _, key = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            raise ApiError(401, "You did not provide an API key.", code="invalid_api_key")

    def _send_answer(self, path: str, body: Json, fault: Fault) -> None:
        if fault.error:
            raise fault.error
        now = int(time.time())
        request_id = {"x-request-id": f"req_{fingerprint(body)[:32]}"}
        if path == "/v1/embeddings":
            self._send_json(200, embeddings.create(body), fault, headers=request_id)
            return
        if path == _COMPACT:
            self._send_json(200, compaction.create(body, now=now), fault, headers=request_id)
            return
        create = responses.create if path == "/v1/responses" else chat_completions.create
        answer = create(body, now=now, change=fault.change)
        if body.get("stream") and not fault.whole:
            self._send_stream(stream_of(path, body, answer, fault), request_id)
        else:
            self._send_json(200, answer, fault, headers=request_id)

    def _send_json(self, status: int, value: Json, fault: Fault, *, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(value, ensure_ascii=False).encode()
        if fault.damage == "malformed":
            content = content[: len(content) // 2]
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if fault.damage == "cut":
            self.close_connection = True
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def _send_stream(self, pieces: Iterator[Piece], headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        tokens = 0
        for piece in pieces:
            if piece.content is None:
                self.close_connection = True
                return
            if piece.is_token:
                self.controls.next_token(tokens)
                tokens += 1
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece.content), piece.content))
        self.wfile.write(b"0\r\n\r\n")


def _parsed(content: bytes) -> Json:
    """Return a request's body; no ``NaN``, no lone surrogate, as strict as OpenAI's."""
    try:
        body = json.loads(content.decode(), parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise bad_request("The request's body is not JSON.", None, "invalid_json") from error
    if not isinstance(body, dict):
        raise bad_request("The request's body is not a JSON object.", None, "invalid_json")
    return body


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def _models() -> Json:
    models = [{"id": name, "object": "model", "created": 0, "owned_by": "offline stand-in"} for name in _MODEL_NAMES]
    return {"object": "list", "data": models}
