"""What a call of Momento's SDK costs beside the call: a stub of 45 methods, and gRPC's way of running interceptors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

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
            _run_in_place(stub)
            data._build_stub = lambda stub=stub: stub  # noqa: SLF001 - of this one object
    return client


def _run_in_place(stub: Any) -> None:
    """Have the SDK's interceptors run in the caller's task: gRPC would begin one of its own for them at each call.

    This goes by gRPC's own names (1.85), likewise.
    """
    for name, method in list(vars(stub).items()):
        path, interceptors = getattr(method, "_method", None), getattr(method, "_interceptors", None)
        if path and interceptors and all(hasattr(one, "intercept_unary_unary") for one in interceptors):
            method._interceptors = ()  # noqa: SLF001 - of this one object
            setattr(stub, name, _intercepted(method, path, interceptors))


def _intercepted(method: Any, path: bytes, interceptors: Sequence[Any]) -> Callable[..., Awaitable[Any]]:
    from grpc.aio import ClientCallDetails

    async def begin(details: ClientCallDetails, request: Any) -> Any:
        return method(request, timeout=details.timeout, metadata=details.metadata)

    step: Any = begin
    for one in reversed(interceptors):
        step = partial(one.intercept_unary_unary, step)

    async def call(request: Any, *, metadata: Any, timeout: float) -> Any:
        return await (await step(ClientCallDetails(path, timeout, metadata, None, None), request))

    return call
