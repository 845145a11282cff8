"""The gRPC server: Momento's wire protocol on 127.0.0.1."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from momento_wire_types import (
    cacheclient_pb2,
    cacheclient_pb2_grpc,
    controlclient_pb2,
    controlclient_pb2_grpc,
)

from . import control, lists, values
from .errors import Refused, unimplemented
from .faults import Faults
from .metering import Charge, Meter, charge
from .store import Caches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    Method = Callable[[Any, Any, grpc.ServicerContext], Any]

# Sizes are the store's to judge, and a client refuses an answer that is too large for it.
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)
# A thread is started when a call finds none idle; calls that hang occupy theirs.
_MAX_THREADS = 64
# Calls under way are cancelled only then: at once, gRPC would complain on the standard error of its clients.
_GRACE_SECONDS = 0.1
_DATA = cacheclient_pb2.DESCRIPTOR.services_by_name["Scs"].methods_by_name
_CONTROL = controlclient_pb2.DESCRIPTOR.services_by_name["ScsControl"].methods_by_name


class EmbeddedMomento:
    """A Momento of one's own: `CredentialProvider.for_momento_local("127.0.0.1", port)` connects to it.

    It serves values, lists and the management of caches, with Momento's expiry, limits and metering; every other
    RPC is answered with `UNIMPLEMENTED`. Credentials are not checked. It may be used as a context manager.

    Parameters
    ----------
    port
        The port on 127.0.0.1; 0 takes a free one.
    clock
        Returns the time in seconds, by which items expire.

    Attributes
    ----------
    port
        The bound port once started. A server that is stopped and started again takes the same one, and what was
        stored is still there.
    meter
        What the calls cost.
    faults
        What is to go wrong.
    caches
        What it holds.
    """

    def __init__(self, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.port = port
        self.meter = Meter()
        self.faults = Faults((*_DATA, *_CONTROL))
        self.caches = Caches(clock)
        self._server: grpc.Server | None = None
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> int:
        """Start serving and return the bound port.

        Raises
        ------
        RuntimeError
            The server runs already, or the port is taken.
        """
        if self._server is not None:
            raise RuntimeError("the embedded Momento runs already")
        threads = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="embedded-momento")
        server = grpc.server(threads, options=_OPTIONS)
        data = {name: self._data_method(name) for name in _DATA}
        cacheclient_pb2_grpc.add_ScsServicer_to_server(  # type: ignore[no-untyped-call]
            type("Scs", (cacheclient_pb2_grpc.ScsServicer,), data)(), server
        )
        management = {name: self._control_method(name) for name in _CONTROL}
        controlclient_pb2_grpc.add_ScsControlServicer_to_server(  # type: ignore[no-untyped-call]
            type("ScsControl", (controlclient_pb2_grpc.ScsControlServicer,), management)(), server
        )
        self.port = server.add_insecure_port(f"127.0.0.1:{self.port}")
        server.start()
        self._server, self._threads = server, threads
        return self.port

    def stop(self) -> None:
        """Stop serving, ending the calls under way; nothing where the server does not run."""
        server, threads = self._server, self._threads
        self._server = self._threads = None
        if server is not None and threads is not None:
            server.stop(_GRACE_SECONDS).wait()
            threads.shutdown()

    def peek(self, cache: str, key: str) -> tuple[bytes | tuple[bytes, ...], float] | None:
        """Look at an item and the seconds that it still lives, unmetered; None where there is none.

        Raises
        ------
        Refused
            There is no cache of this name.
        """
        held = self.caches.get(cache)
        with held.lock:
            item = held.item(key.encode())
            remaining = held.remaining_milliseconds(key.encode())
        return None if item is None or remaining is None else (item.value, remaining / 1000)

    def wipe(self) -> None:
        """Lose every item, as an eviction or an outage would; the caches themselves stay."""
        self.caches.wipe()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _data_method(self, name: str) -> Method:
        rpc = values.RPCS.get(name) or lists.RPCS.get(name)

        def work(request: Any, context: grpc.ServicerContext) -> Any:
            if rpc is None:
                raise unimplemented(name)
            metadata = dict(context.invocation_metadata())
            consistent = metadata.get("read-concern") == "consistent"
            response = None
            try:
                cache = self.caches.get(metadata.get("cache", ""))
                with cache.lock:
                    response = rpc.work(cache, request)
            finally:
                self.meter.add(charge(rpc, request, response, consistent=consistent))
            return response

        return self._method(name, work)

    def _control_method(self, name: str) -> Method:
        do = control.WORK.get(name)

        def work(request: Any, _: grpc.ServicerContext) -> Any:
            if do is None:
                raise unimplemented(name)
            self.meter.add(Charge(operations=1, bytes_read=0, bytes_written=0))
            return do(self.caches, request)

        return self._method(name, work)

    def _method(self, name: str, work: Callable[[Any, grpc.ServicerContext], Any]) -> Method:
        def method(_: object, request: Any, context: grpc.ServicerContext) -> Any:
            self.meter.arrived(name)
            fault = self.faults.next(name)
            if fault is not None:
                fault.before_work(context)
            try:
                response = work(request, context)
            except Refused as refused:
                refused.abort(context)
            if fault is not None:
                fault.after_work(context)
            return response

        return method
