"""An embedded AWS, by moto: DynamoDB and Secrets Manager as `boto3` talks to them, one call at a time.

moto's own server runs calls side by side over state that no lock guards: two conditional writes can both find their
condition true, and a transaction that is refused takes back what others wrote meanwhile.
"""

from __future__ import annotations

import copy
import io
import logging
import threading
import time
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local.embedded_stream import keep_streams_small

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from werkzeug.serving import BaseWSGIServer

_HOST = "127.0.0.1"


class EmbeddedAws:
    """A server of AWS's API on this machine: clients take its ``url`` as their endpoint. Signatures are not checked.

    Its state belongs to the process: every server in it serves the same. It may be used as a context manager.

    Parameters
    ----------
    port
        The port on 127.0.0.1; 0 takes a free one.

    Attributes
    ----------
    delay
        Seconds before each answer.
    """

    def __init__(self, port: int = 0) -> None:
        self.delay = 0.0
        self._port = port
        self._server: BaseWSGIServer | None = None

    def start(self) -> int:
        """Begin to serve and return the bound port."""
        _copy_no_tables()
        _look_into_partitions()
        _write_pages_quickly()
        keep_streams_small()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server(_HOST, self._port, self._answer, threaded=True, request_handler=_Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self._port

    def stop(self) -> None:
        """End the server; nothing where it does not run."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.delay:
            time.sleep(self.delay)
        return _one_at_a_time(environ, start_response)

    @property
    def url(self) -> str:
        """What clients take as ``AWS_ENDPOINT_URL``, once the server has started."""
        return f"http://{_HOST}:{self._port}"


class _Handler(MotoRequestHandler):
    # An answer goes out in several writes; each would wait for the acknowledgement of the one before, 40 ms.
    disable_nagle_algorithm = True


_LOCK = threading.Lock()


@cache
def _moto() -> DomainDispatcherApplication:
    return DomainDispatcherApplication(create_backend_app)


def _one_at_a_time(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))  # no slow client holds the lock
    with _LOCK:
        return list(_moto()(environ, start_response))


@cache
def _copy_no_tables() -> None:
    """Make a transaction cost what it touches.

    moto copies the whole table once for each operation of a transaction, to have a way back: seconds with some
    thousand items. Here the way back is a copy of the items that the transaction names, and the stream's length.
    """
    transact = DynamoDBBackend.transact_write_items

    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        tables = {id(table): table for table, _ in _named(self, transact_items)}
        before = [(holder, key, copy.deepcopy(holder.get(key))) for holder, key in _places(self, transact_items)]
        streams = [table.stream_shard.items for table in tables.values() if table.stream_shard is not None]
        written = [len(records) for records in streams]
        for table in tables.values():
            table.__deepcopy__ = lambda _memo, table=table: table
        try:
            transact(self, transact_items)
        except Exception:
            for holder, key, item in before:
                if item is None:
                    holder.pop(key, None)
                else:
                    holder[key] = item
            for records, count in zip(streams, written, strict=True):
                del records[count:]
            raise
        finally:
            for table in tables.values():
                del table.__deepcopy__

    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[method-assign]


@cache
def _look_into_partitions() -> None:
    """Make a query cost what its partition holds.

    moto sorts the whole table for each query: tens of milliseconds with some thousand items.
    """
    query = Table.query
    named = signature(query).bind

    def query_partition(self: Table, *args: Any, **kwargs: Any) -> Any:
        given = named(self, *args, **kwargs).arguments
        if self.range_key_attr is None:
            return query(self, *args, **kwargs)

        def candidates() -> list[Any]:
            if not given.get("index_name"):
                return list(self.items[given["hash_key"]].values()) if given["hash_key"] in self.items else []
            rows = (row for partition in self.items.values() for row in partition.values())
            keys = given["hash_key_conditions"]
            return [row for row in rows if all(name in row.attrs and row.attrs[name] == value for name, value in keys)]

        self.all_items = candidates  # type: ignore[method-assign]
        try:
            return query(self, *args, **kwargs)
        finally:
            del self.all_items

    Table.query = query_partition  # type: ignore[method-assign]


@cache
def _write_pages_quickly() -> None:
    """Let moto write a query's items without its walk over the API's model, a millisecond for each item."""
    query = DynamoHandler.query

    def query_as_json(self: DynamoHandler) -> str:
        return dynamo_json_dump(query(self).result)

    DynamoHandler.query = query_as_json  # type: ignore[assignment,method-assign]


def _named(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the table of each operation and what holds its key; a table that is missing is moto's to refuse."""
    for operation in transact_items:
        for details in operation.values():
            table = backend.tables.get(details.get("TableName"))
            if table is not None:
                yield table, details.get("Key") or details.get("Item") or {}


def _places(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Yield the place of each operation's item: a dict of moto's, and the key in it."""
    for table, key in _named(backend, transact_items):
        if table.hash_key_attr in key and (table.range_key_attr is None or table.range_key_attr in key):
            first = DynamoType(key[table.hash_key_attr])
            if table.range_key_attr is None:
                yield table.items, first
            else:
                yield table.items[first], DynamoType(key[table.range_key_attr])
