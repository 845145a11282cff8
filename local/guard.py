"""Keeps the dev server to its own machine: a web page elsewhere must neither spend the person's key nor read a history.

A page can send requests to 127.0.0.1 from any browser that shows it; under a name of its own that resolves to 127.0.0.1
(DNS rebinding) it can read the answers as well. A browser tells both: by ``Host`` and by ``Origin``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.events import header
from local.messages import HttpResponse

if TYPE_CHECKING:
    from local.messages import HttpRequest

_NAMES = ("127.0.0.1", "localhost", "[::1]")
# What a browser sends to another origin without asking first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
# The third of them is also what curl calls a body of which it was told nothing.
_NEVER_JSON = frozenset(("text/plain", "multipart/form-data"))
_UNASKED = _NEVER_JSON | {"application/x-www-form-urlencoded", ""}


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask.

    Parameters
    ----------
    port
        The port that the server listens on.
    allowed_origins
        Origins of further pages that may ask, such as ``http://localhost:5173``; ``*`` lets every page in.
    """

    port: int
    allowed_origins: frozenset[str] = frozenset()

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer to a request that is refused by its headers alone, None where it may pass."""
        if (header(request, "host") or "").lower() not in self._hosts():
            message = (
                f"This server answers to its own address alone, http://127.0.0.1:{self.port}: the Host is another."
            )
            return _refuse(403, message, "host_not_allowed")
        if not all(self._knows(value) for name, value in request.headers if name.lower() == "origin"):
            message = "The page that asks has an Origin that is not the server's own. ALLOWED_ORIGINS can name it."
            return _refuse(403, message, "origin_not_allowed")
        kind = (header(request, "content-type") or "").partition(";")[0].strip().lower()
        from_browser = header(request, "sec-fetch-site") is not None
        if _has_body(request) and (kind in _NEVER_JSON or (from_browser and kind in _UNASKED)):
            return _refuse(415, "Send the body as JSON, with Content-Type: application/json.", "unsupported_media_type")
        return None

    def _hosts(self) -> set[str]:
        return {f"{name}:{self.port}" for name in _NAMES} | (set(_NAMES) if self.port == 80 else set())

    def _knows(self, origin: str) -> bool:
        own = {f"http://{host}" for host in self._hosts()}
        return "*" in self.allowed_origins or origin.lower() in own | self.allowed_origins


def allowed_origins(listed: str) -> frozenset[str]:
    """Read ``ALLOWED_ORIGINS``: origins separated by commas."""
    return frozenset(origin for part in listed.split(",") if (origin := part.strip().rstrip("/").lower()))


def _has_body(request: HttpRequest) -> bool:
    return header(request, "transfer-encoding") is not None or (header(request, "content-length") or "0") != "0"


def _refuse(status: int, message: str, code: str) -> HttpResponse:
    kind = "permission_error" if status == 403 else "invalid_request_error"
    error = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return HttpResponse(status, (("Content-Type", "application/json"),), json.dumps(error).encode())
