"""What writes cost: DynamoDB's write units, counted from the sizes of rows before and after each write.

A unit is a kilobyte begun, of the larger of the two; in a transaction it is two. The index is written where what it
holds of a row changes: once, or twice where the row moves to another place of it. A condition that fails costs what
the row that is there costs. (DynamoDB Developer Guide, "Capacity unit consumption", "Global secondary indexes".)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
_WRITES = frozenset({"UpdateItem", "DeleteItem", "PutItem", "TransactWriteItems"})


@dataclass
class Metered:
    """The adapter's client, which counts what its writes cost.

    Parameters
    ----------
    client
        That makes the calls.
    table
        As the template defines it.
    """

    client: Any
    table: Mapping[str, Any]
    units: int = 0
    told: list[str] = field(default_factory=list)

    def call(self, operation: str, request: Mapping[str, Any], **how: Any) -> Any:
        """See `chat_core.aws.AwsClient.call`."""
        if operation not in _WRITES:
            return self.client.call(operation, request, **how)
        named = _named(operation, request)
        before = [self._row(*one) for one in named]
        try:
            return self.client.call(operation, request, **how)
        finally:
            after = [self._row(*one) for one in named]
            for one, was, now in zip(named, before, after, strict=True):
                self._count(operation, one[1], was, now)

    def is_ready(self) -> bool:
        """See `chat_core.aws.AwsClient.is_ready`."""
        return bool(self.client.is_ready())

    def prepare(self) -> None:
        """See `chat_core.aws.AwsClient.prepare`."""
        self.client.prepare()

    def close(self) -> None:
        """Close its connections."""
        self.client.close()

    def _row(self, table: str, key: Row) -> Row:
        found: Row = self.client.call("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get(
            "Item", {}
        )
        return found

    def _count(self, operation: str, key: Row, before: Row, after: Row) -> None:
        base = max(_units(row_bytes(before)), _units(row_bytes(after)), 1) * (1 + operation.startswith("Transact"))
        index = self._index(before, after)
        self.units += base + index
        self.told.append(f"{operation} {key['sk']['S']}: {base} + {index}, {row_bytes(after)} bytes")

    def _index(self, before: Row, after: Row) -> int:
        [index] = self.table["GlobalSecondaryIndexes"]
        keys = [one["AttributeName"] for one in index["KeySchema"]]
        held = {*keys, "pk", "sk", *index["Projection"]["NonKeyAttributes"]}
        was, now = (
            {name: value for name, value in row.items() if name in held} if set(keys) <= row.keys() else {}
            for row in (before, after)
        )
        if was == now:
            return 0
        if was and now and all(was[name] == now[name] for name in keys):
            return max(_units(row_bytes(was)), _units(row_bytes(now)))
        return sum(_units(row_bytes(row)) for row in (was, now) if row)


def _named(operation: str, request: Mapping[str, Any]) -> list[tuple[str, Row]]:
    """List the rows that a request writes, or checks, by table and key."""
    if operation != "TransactWriteItems":
        return [(request["TableName"], _key(request))]
    return [(one["TableName"], _key(one)) for entry in request["TransactItems"] for one in entry.values()]


def _key(request: Mapping[str, Any]) -> Row:
    found = request.get("Key") or request["Item"]
    return {name: found[name] for name in ("pk", "sk")}


def row_bytes(row: Mapping[str, Any]) -> int:
    """Count a row's bytes as DynamoDB does: names and values."""
    return sum(len(name) + _bytes(kind, value) for name, typed in row.items() for kind, value in typed.items())


def _bytes(kind: str, value: Any) -> int:
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return (len(value.strip("-").replace(".", "")) + 1) // 2 + 1
        case "SS":
            return sum(len(one.encode()) for one in value) + 3
        case "BOOL":
            return 1
    return len(value)


def _units(size: int) -> int:
    return ceil(size / 1024)
