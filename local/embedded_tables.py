"""What keeps moto's tables quick, however much they hold."""

from __future__ import annotations

import copy
import json
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import DynamoDBBackend, dynamo_type
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def keep_tables_quick() -> None:
    """Do so from now on, in this process."""
    _copy_no_tables()
    _look_into_partitions()
    _fill_items_once()
    _write_errors_once()


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


def _fill_items_once() -> None:
    """Let an item's size be added up once: moto adds up all of it for each attribute that is set, and walks each copy.

    What holds one scalar is never changed, so that a copy may hold the same.
    """
    item: Any = Item
    sized: Any = dynamo_type.LimitedSizeDict
    fill, put, copied = item.__init__, sized.__setitem__, DynamoType.__deepcopy__

    def fill_once(self: Any, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
        held = {name: DynamoType(value) for name, value in attrs.items()}
        if _size(held) > _SURELY_FITS:
            fill(self, hash_key, range_key, attrs)
            return
        self.hash_key, self.range_key, self.attrs = hash_key, range_key, sized()
        dict.update(self.attrs, held)

    def put_once(self: Any, name: str, value: Any) -> None:
        set_it = dict.__setitem__ if _size(self) + _size({name: value}) <= _SURELY_FITS else put
        set_it(self, name, value)

    def copy_once(self: Any, memo: dict[int, Any]) -> Any:
        return self if self.type in _SCALARS else copied(self, memo)

    item.__init__ = fill_once
    sized.__setitem__ = put_once
    DynamoType.__deepcopy__ = copy_once  # type: ignore[method-assign]


_SURELY_FITS = 400_000
_SCALARS = frozenset({"S", "N", "B", "BOOL", "NULL"})


def _size(attributes: dict[str, Any]) -> int:
    """Return what attributes take in bytes."""
    size = 0
    for name, value in attributes.items():
        size += len(name) if name.isascii() else len(name.encode())
        held = value.value if type(value) is DynamoType else str(value)
        if type(held) is str:
            size += len(held) if held.isascii() else len(held.encode())
        else:
            size += value.size()
    return size


def _write_errors_once() -> None:
    """Let an error be written as JSON alone: moto writes each as XML first, a quarter of a millisecond."""

    def write(self: Any, error_type: str, message: str, _: str = "", **__: Any) -> None:
        HTTPException.__init__(self)
        self.error_type, self.message = error_type, message
        self.description = json.dumps({"__type": error_type, "message": message})
        self.content_type = "application/json"

    JsonRESTError.__init__ = write  # type: ignore[method-assign]


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
