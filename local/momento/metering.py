"""Momento's metering of operations: https://docs.momentohq.com/cache/manage/operations."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rpc import Rpc

CHUNK_BYTES = 1024
# The documentation of read concerns says 6, the one of operations 2: the dearer one is counted.
CONSISTENT_FACTOR = 6


@dataclass(frozen=True)
class Charge:
    """What one call costs: operations, and the bytes of user data that its request and its response carry."""

    operations: int
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True)
class MeterSnapshot:
    """What was metered since the start or the last reset.

    Attributes
    ----------
    calls
        Calls that arrived, by the name of the RPC (`ListFetch`), the SDK's retries and injected faults included.
    operations
        Operations as Momento bills them. A call that an injected fault kept from its work costs none.
    bytes_read
        Bytes of values and elements in responses.
    bytes_written
        Bytes of keys, values and elements in requests.
    """

    calls: Mapping[str, int]
    operations: int
    bytes_read: int
    bytes_written: int


def _chunks(size: int) -> int:
    return max(1, -(-size // CHUNK_BYTES))


def charge(rpc: Rpc, request: Any, response: Any | None, *, consistent: bool = False) -> Charge:
    """Return what a call costs.

    Every item or element that the request or the response carries costs one operation per 1,024-byte chunk of its
    own, begun ones included. An item is key and value together, as in Momento's size limit; an element of a
    collection is counted without the collection's name. A call that carries none costs the chunks of its keys. The
    complexity factor and the read concern multiply the sum.

    Parameters
    ----------
    response
        None where the call was refused: what the request carried was transferred all the same.
    consistent
        The call asked for the read concern `Consistent`.
    """
    key = getattr(request, rpc.key)
    key_bytes = len(key) if isinstance(key, bytes) else sum(map(len, key))
    sent = rpc.sent(request)
    answered = () if response is None else rpc.answered(response)
    own_key = key_bytes if rpc.keyed else 0
    base = sum(_chunks(own_key + size) for size in (*sent, *answered)) or _chunks(key_bytes)
    concern = CONSISTENT_FACTOR if consistent and rpc.reads else 1
    return Charge(base * rpc.factor * concern, sum(answered), key_bytes + sum(sent))


class Meter:
    """Adds up calls and charges; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._operations = self._bytes_read = self._bytes_written = 0

    def arrived(self, rpc: str) -> None:
        """Count a call."""
        with self._lock:
            self._calls[rpc] += 1

    def add(self, cost: Charge) -> None:
        """Add the cost of a call."""
        with self._lock:
            self._operations += cost.operations
            self._bytes_read += cost.bytes_read
            self._bytes_written += cost.bytes_written

    def snapshot(self) -> MeterSnapshot:
        """Return the figures as they are now."""
        with self._lock:
            return MeterSnapshot(dict(self._calls), self._operations, self._bytes_read, self._bytes_written)

    def reset(self) -> None:
        """Set every figure to zero."""
        with self._lock:
            self._calls.clear()
            self._operations = self._bytes_read = self._bytes_written = 0
