"""Faults on demand: failures, slowness, silence and lost answers, by RPC and by number of calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from .errors import OPERATIONS_RATE, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Fault:
    """What befalls a call.

    Attributes
    ----------
    refused
        The status that the call ends with; None where it goes well in the end.
    answer_lost
        The work is done before the call ends with `refused`.
    delay_seconds
        Real time that passes before the work; None: until the caller gives up.
    """

    refused: Refused | None = None
    answer_lost: bool = False
    delay_seconds: float | None = 0.0

    def before_work(self, context: grpc.ServicerContext) -> None:
        """Hold the call up, or end it where it is not to do its work."""
        if self.delay_seconds != 0.0:
            ended = threading.Event()
            if context.add_callback(ended.set):
                ended.wait(self.delay_seconds)
        if self.refused is not None and not self.answer_lost:
            self.refused.abort(context)

    def after_work(self, context: grpc.ServicerContext) -> None:
        """End the call where its answer is lost."""
        if self.refused is not None and self.answer_lost:
            self.refused.abort(context)


@dataclass
class _Armed:
    fault: Fault
    rpcs: frozenset[str]
    left: int | None


class Faults:
    """The faults in force.

    Each method takes the names of RPCs (`ListFetch`; none: every RPC) and `times`, the number of calls that the
    fault befalls (None: until `clear`). A call that several faults name meets the one that was set first.

    Parameters
    ----------
    known
        The names of the RPCs that the server has.

    Raises
    ------
    ValueError
        In each method: there is no such RPC, or `times` is below 1.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def fail(
        self,
        *rpcs: str,
        code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
        times: int | None = None,
    ) -> None:
        """End calls with `code` before they do anything."""
        self._arm(Fault(Refused(code, "injected fault")), rpcs, times)

    def exceed_quota(self, *rpcs: str, times: int | None = None) -> None:
        """Refuse calls as Momento does above the operations per second of the account."""
        refused = Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "operations rate limit exceeded", OPERATIONS_RATE)
        self._arm(Fault(refused), rpcs, times)

    def delay(self, seconds: float, *rpcs: str, times: int | None = None) -> None:
        """Do the work `seconds` late, or as soon as the caller has given up: a late write is done all the same."""
        self._arm(Fault(delay_seconds=seconds), rpcs, times)

    def hang(self, *rpcs: str, times: int | None = None) -> None:
        """Never answer and do nothing; the caller's deadline ends the call."""
        refused = Refused(grpc.StatusCode.UNAVAILABLE, "injected fault")
        self._arm(Fault(refused, delay_seconds=None), rpcs, times)

    def lose_answer(
        self,
        *rpcs: str,
        code: grpc.StatusCode = grpc.StatusCode.DEADLINE_EXCEEDED,
        times: int | None = None,
    ) -> None:
        """Do the work, then end the call with `code` as if the answer had been lost on the way."""
        self._arm(Fault(Refused(code, "injected fault"), answer_lost=True), rpcs, times)

    def clear(self) -> None:
        """End every fault. Calls that hang go on hanging until their callers give up."""
        with self._lock:
            self._armed = []

    def next(self, rpc: str) -> Fault | None:
        """Return the fault that befalls this call of `rpc`, and count it."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if armed.rpcs and rpc not in armed.rpcs:
                    continue
                if armed.left is not None:
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed = [other for other in self._armed if other is not armed]
                return armed.fault
        return None

    def _arm(self, fault: Fault, rpcs: Iterable[str], times: int | None) -> None:
        names = frozenset(rpcs)
        if not names <= self._known:
            raise ValueError("no such RPC", *sorted(names - self._known))
        if times is not None and times < 1:
            raise ValueError("times is at least 1")
        with self._lock:
            self._armed = [*self._armed, _Armed(fault, names, times)]
