"""How long the parts of a request took, told to its caller as ``Server-Timing`` (W3C)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_spans: ContextVar[dict[str, float] | None] = ContextVar("spans", default=None)


def start() -> None:
    """Begin a request: what is timed from now on, in tasks that it starts too, belongs to it."""
    _spans.set({})


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Add the time that the block takes to a part's.

    Parameters
    ----------
    name
        A token of RFC 9110: of a turn ``lease``, ``memory`` (what is waited for it beyond the lease), ``cache``,
        ``model``, ``commit``, ``copies``; ``store`` of a call without a conversation; ``first_event`` of an answer that
        is told as it comes.
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


def server_timing() -> str:
    """Write the parts so far, in milliseconds, in the order in which they ended."""
    return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in (_spans.get() or {}).items())
