"""One gRPC stub a connection, where Momento's SDK makes one of 45 methods for every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from momento import CacheClientAsync


def with_one_stub(client: CacheClientAsync) -> CacheClientAsync:
    """Let a client use one stub for its life: a stub belongs to a channel and holds nothing of a call.

    The SDK has no setting for it, so this goes by its own names (1.29); where another version has none of them the
    client stays as it is, and a test says so.
    """
    for data in getattr(client, "_data_clients", ()):
        build = getattr(data, "_build_stub", None)
        if build is not None:
            stub = build()
            data._build_stub = lambda stub=stub: stub  # noqa: SLF001 - of this one object
    return client
