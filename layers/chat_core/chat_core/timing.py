"""How long the parts of a request took, told to its caller as ``Server-Timing`` (W3C)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_spans: ContextVar[dict[str, float] | None] = ContextVar("spans", default=None)
_begun: ContextVar[float] = ContextVar("begun", default=0.0)


def start() -> None:
    """Begin a request: what is timed from now on, in tasks that it starts too, belongs to it."""
    _spans.set({})
    _begun.set(time.monotonic())


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Add the time that the block takes to a part's.

    Parameters
    ----------
    name
        A token of RFC 9110: of a turn ``lease``, ``memory`` (what is waited for it beyond the lease), ``view``,
        ``cache``, ``model``, ``commit``, ``append`` (of the copies in the cache); ``store`` of a call without a
        conversation; ``first_event`` of an answer that is told as it comes.
    """
    begin = time.monotonic()
    try:
        yield
    finally:
        add_span(name, time.monotonic() - begin)


def add_span(name: str, seconds: float) -> None:
    """Add to the time of a part: see `timed`."""
    spans = _spans.get()
    if spans is not None:
        spans[name] = spans.get(name, 0.0) + seconds


def server_timing(*, whole: bool) -> str:
    """Write the parts so far, in milliseconds, in the order in which they ended; nothing where nothing was timed.

    Parameters
    ----------
    whole
        Whether the request is over, so that its ``total`` can be told.
    """
    spans = dict(_spans.get() or {})
    if spans and whole:
        spans["total"] = time.monotonic() - _begun.get()
    return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in spans.items())
