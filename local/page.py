"""The page at ``/``: its files as they are on the disk, and what the embedded Momento holds, for the page to show."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local.events import caller
from local.messages import HttpResponse, StreamedResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.gateway import Gateway
    from local.messages import HttpRequest
    from local.momento import EmbeddedMomento

FOLDER = Path(__file__).resolve().parent.parent / "page"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Nothing but its own files and its own API; no text ever becomes HTML or a script (W3C CSP 3, Trusted Types).
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_MOMENTO = "/_local/momento"


class Front:
    """What stands before the gateway on this machine alone: the page, and a look into the embedded Momento.

    Parameters
    ----------
    gateway
        Answers everything else.
    momento
        The embedded one, None where a real one is in use: that holds other people's data, too.
    """

    def __init__(self, gateway: Gateway, momento: EmbeddedMomento | None) -> None:
        self._gateway = gateway
        self._momento = momento
        self._operations: int | None = None
        self.bad_request = gateway.bad_request

    def answer(self, request: HttpRequest) -> HttpResponse | StreamedResponse:
        """Answer with the page, with what Momento holds, or as the gateway does."""
        reads = request.method in ("GET", "HEAD")
        if reads and request.path == "/":
            return _file("index.html")
        if reads and request.path.startswith("/page/"):
            return _file(unquote(request.path.removeprefix("/page/")))
        if self._momento is not None and (request.path == _MOMENTO or request.path.startswith(f"{_MOMENTO}/")):
            return self._look(request, self._momento)
        if self._momento is not None and (request.method, request.path) == ("POST", "/v1/responses"):
            return self._metered(request, self._momento)
        return self._gateway.answer(request)

    def _look(self, request: HttpRequest, momento: EmbeddedMomento) -> HttpResponse | StreamedResponse:
        cache = os.environ.get("CACHE_NAME") or "omoide"
        conversation = unquote(request.path.removeprefix(_MOMENTO).removeprefix("/"))
        if request.method == "DELETE" and not conversation:
            momento.wipe()
            return _json({"deleted": True})
        if request.method != "GET" or not conversation:
            return self._gateway.answer(request)
        from chat_core.keys import Address, history_list_key, memory_key

        try:
            address = Address(caller(request), conversation)
            keys = {"list": history_list_key(address), "memory": memory_key(address)}
        except ValueError:
            return self._gateway.answer(request)
        held = {name: _described(momento, cache, key) for name, key in keys.items()}
        return _json({"object": "momento", **held, "operations": self._operations})

    def _metered(self, request: HttpRequest, momento: EmbeddedMomento) -> HttpResponse | StreamedResponse:
        """Count what a turn costs in Momento; turns at the same time count each other's."""
        before = momento.meter.snapshot().operations
        response = self._gateway.answer(request)
        if isinstance(response, StreamedResponse):
            return replace(response, pieces=self._until_end(response.pieces, before, momento))
        self._operations = momento.meter.snapshot().operations - before
        return response

    def _until_end(self, pieces: Iterator[bytes], before: int, momento: EmbeddedMomento) -> Iterator[bytes]:
        yield from pieces
        self._operations = momento.meter.snapshot().operations - before


def _described(momento: EmbeddedMomento, cache: str, key: str) -> dict[str, object] | None:
    found = momento.peek(cache, key)
    if found is None:
        return None
    value, seconds = found
    if isinstance(value, bytes):
        return {"key": key, "bytes": len(value), "expires_in": seconds}
    elements = [element.decode("utf-8", "replace") for element in value]
    return {"key": key, "bytes": sum(map(len, value)), "expires_in": seconds, "elements": elements}


def _file(name: str) -> HttpResponse:
    """Answer with one of the page's files, read anew each time: an edit shows on reload."""
    path = FOLDER / name
    if "/" in name or "\\" in name or path.suffix not in _TYPES or not path.is_file():
        error = {"message": f"The page has no file of this name: {name}", "type": "invalid_request_error"}
        return _json({"error": {**error, "param": None, "code": "not_found"}}, status=404)
    headers = (
        ("Content-Type", _TYPES[path.suffix]),
        ("Cache-Control", "no-cache"),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    )
    return HttpResponse(200, headers, path.read_bytes())


def _json(body: object, *, status: int = 200) -> HttpResponse:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpResponse(status, headers, json.dumps(body, ensure_ascii=False).encode())
