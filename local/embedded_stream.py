"""What moto's DynamoDB streams need for a server that runs all day and is polled all the while."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import StreamRecord, StreamShard
from moto.dynamodbstreams.models import DynamoDBStreamsBackend

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import Item

_KEPT_ITERATORS = 1_000


@cache
def keep_streams_small() -> None:
    """Let a record hold what its stream shows, and an iterator end some time.

    moto writes each item out twice for each record, whatever the stream shows of it, and keeps every iterator that it
    ever gave: a poll makes one.
    """
    get_records = DynamoDBStreamsBackend.get_records

    def get_records_and_forget(self: DynamoDBStreamsBackend, iterator_arn: str, limit: int) -> dict[str, Any]:
        records = get_records(self, iterator_arn, limit)
        while len(self.shard_iterators) > _KEPT_ITERATORS:
            del self.shard_iterators[next(iter(self.shard_iterators))]
        return records

    StreamShard.add = _add  # type: ignore[method-assign]
    DynamoDBStreamsBackend.get_records = get_records_and_forget  # type: ignore[method-assign]


class _Keys:
    """An item of which only the keys are told."""

    def __init__(self, item: Item) -> None:
        self.hash_key = item.hash_key
        self.range_key = item.range_key

    def to_json(self) -> dict[str, Any]:
        return {"Attributes": {}}


def _add(self: StreamShard, old: Item | None, new: Item | None) -> None:
    """Add a record, as moto's own method does; no function of moto's is told of it."""
    specification: Any = self.table.stream_specification
    kind = specification["StreamViewType"]
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    shown: list[Any] = [each and _Keys(each) if kind == "KEYS_ONLY" else each for each in (old, new)]
    number = len(self.items) + self.starting_sequence_number
    self.items.append(StreamRecord(self.table, kind, name, shown[0], shown[1], number))
