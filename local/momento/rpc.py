"""What the server knows about one RPC of the data plane: how to do it and what it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .store import Cache


def _nothing(_: Any) -> Sequence[int]:
    return ()


@dataclass(frozen=True)
class Rpc:
    """One RPC on a cache.

    Attributes
    ----------
    work
        Does the call: from the cache and the request message to the response message, atomically.
    key
        The request's field that holds the key or keys.
    sent, answered
        The sizes in bytes of the values or elements that the request and the response carry.
    keyed
        The key counts to the size of each item carried: true for values, whose item is key and value, and
        false for the elements of a collection.
    factor
        Momento's complexity factor.
    reads
        Whether the read concern of the call applies.
    """

    work: Callable[[Cache, Any], Any]
    key: str
    sent: Callable[[Any], Sequence[int]] = _nothing
    answered: Callable[[Any], Sequence[int]] = _nothing
    keyed: bool = False
    factor: int = 1
    reads: bool = False
