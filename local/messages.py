"""An HTTP request and its answer, as they cross the dev server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came.

    Parameters
    ----------
    method
        In upper case.
    path, query
        Of the target, percent-encoded as they came; the query without its question mark.
    headers
        Names and values in the order in which they came.
    body
        Without its transfer coding.
    source_ip
        The client's address.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer, without the headers that frame it.

    Parameters
    ----------
    status
        200 to 599.
    headers
        Names and values; a name may come more than once.
    body
        Of the answer.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An answer whose body comes piece by piece.

    Parameters
    ----------
    status, headers
        As of an `HttpResponse`.
    pieces
        Of the body. It raises `StreamBroken` where the body breaks off.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: Iterator[bytes]


class StreamBroken(Exception):
    """A streamed body ends before its end; the client is to see that. The message says why."""
