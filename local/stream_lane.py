"""One lane of a shard: batches that go to the function one after another."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.stream_batches import after, batches, first_failure

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from local.event_sources import StreamSource
    from local.stream_batches import Batch, Record

# Between the tries of a batch, and between polls that fail.
_LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Who gets the records.

    Parameters
    ----------
    invoke
        Hands an event, JSON, to the function and returns its answer; None where it failed.
    say
        Tells the person a line.
    """

    invoke: Callable[[bytes], bytes | None]
    say: Callable[[str], None]


def backoff(first: float, failed: int) -> float:
    """Return how long to wait after so many failures in a row, in seconds: twice as long each time."""
    return min(first * 2.0 ** min(failed - 1, 10), _LONGEST_WAIT)


class Lane:
    """Records of some of a shard's partition keys, in their order; see `StreamPoller` for the parameters."""

    def __init__(self, source: StreamSource, target: Target, *, first_wait: float, stopped: threading.Event) -> None:
        self._source = source
        self._target = target
        self._first_wait = first_wait
        self._stopped = stopped
        self._read: list[Record] = []
        self._read_since = 0.0
        self._pending: list[Batch] = []
        self._failed = 0
        self._wait_until = float("-inf")
        self.busy = False

    def add(self, record: Record) -> None:
        """Take a record."""
        if not self._read:
            self._read_since = time.monotonic()
        self._read.append(record)

    def __len__(self) -> int:
        return len(self._read) + sum(len(batch.records) for batch in self._pending) + self.busy

    def is_ready(self, *, at_once: bool) -> bool:
        """Make batches of what was read, where that is enough or has waited for long enough; tell whether one may go.

        Parameters
        ----------
        at_once
            Whether nothing follows that might fill a batch.
        """
        now = time.monotonic()
        full = len(self._read) >= self._source.batch_size or at_once
        if self._read and not self._pending and (full or now - self._read_since >= self._source.window):
            self._pending, self._read = batches(self._read, self._source.batch_size), []
        return bool(self._pending) and not self.busy and now >= self._wait_until

    def work(self) -> None:
        """Hand on the batches that may go."""
        try:
            while self._pending and time.monotonic() >= self._wait_until and not self._stopped.is_set():
                self._try()
        except Exception:
            traceback.print_exc()
        finally:
            self.busy = False

    def _try(self) -> None:
        batch = self._pending[0]
        event = json.dumps({"Records": batch.records}, ensure_ascii=False).encode()
        failure = first_failure(batch, self._target.invoke(event), self._source)
        outcome = after(batch, failure, self._source, now=time.time())
        self._pending[:1] = outcome.again
        if outcome.given_up:
            self._target.say(f"{len(outcome.given_up)} record(s) of the stream are given up: they failed too often.")
        self._failed = self._failed + 1 if outcome.again else 0
        if outcome.again:
            self._wait_until = time.monotonic() + backoff(self._first_wait, self._failed)
