"""One invocation of a function, seen by who waits for its answer."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future


class FunctionFailed(Exception):
    """The function raised, ended or ran out of time; Lambda makes a function error of it. The message says which.

    Parameters
    ----------
    kind
        Class of what the handler raised; empty if it raised nothing.
    """

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class IntegrationTimeout(Exception):
    """The function did not answer within the gateway's time."""


class Invoked(Protocol):
    """An answer on its way."""

    def piece(self, timeout: float) -> bytes | None:
        """Return the answer's next piece, None at its end.

        Parameters
        ----------
        timeout
            Seconds to wait for it. An invocation that is not begun by then is dropped; one that is goes on to its end
            or to the function's own timeout.

        Raises
        ------
        FunctionFailed, IntegrationTimeout
            See there.
        """
        ...


class Integration(Protocol):
    """A function as the gateway sees it."""

    def invoke(self, event: bytes, *, trace_id: str) -> Invoked:
        """Begin to answer an event, JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of error that API Gateway answers by itself: its name, status and message there."""

    kind: str
    status: int
    message: str


class Invocation:
    """An `Invoked` that a thread of the function's pool fills: the environment never waits for who reads."""

    def __init__(self) -> None:
        self.work: Future[Any] | None = None
        self._pieces: queue.SimpleQueue[bytes | FunctionFailed | None] = queue.SimpleQueue()

    def add(self, piece: bytes) -> None:
        """Add a piece of the answer."""
        self._pieces.put(piece)

    def end(self, failure: FunctionFailed | None = None) -> None:
        """Say that nothing follows, and why."""
        self._pieces.put(failure)

    def piece(self, timeout: float) -> bytes | None:
        """Return the next piece: see `Invoked`."""
        try:
            piece = self._pieces.get(timeout=max(0.0, timeout))
        except queue.Empty:
            if self.work is not None:
                self.work.cancel()
            raise IntegrationTimeout from None
        if isinstance(piece, FunctionFailed):
            raise piece
        return piece


def whole(invoked: Invoked, timeout: float) -> bytes:
    """Wait for the whole of an answer.

    Parameters
    ----------
    timeout
        Seconds for all of it.

    Raises
    ------
    FunctionFailed, IntegrationTimeout
        As `Invoked.piece`.
    """
    deadline = time.monotonic() + timeout
    pieces = []
    while (piece := invoked.piece(deadline - time.monotonic())) is not None:
        pieces.append(piece)
    return b"".join(pieces)
