"""Polls a DynamoDB stream and starts a function with its records, as Lambda's event source mappings do."""

from __future__ import annotations

import json
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from local.stream_batches import event_record, is_too_old
from local.stream_lane import Lane, backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.event_sources import StreamSource
    from local.stream_batches import Record
    from local.stream_lane import Target

_POLL_SECONDS = 0.25
_LOOK_SECONDS = 30.0
_MOST_RECORDS = 1_000
_MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Stream:
    """A table's stream, and the clients that reach it: boto3's ``dynamodb`` and ``dynamodbstreams``."""

    table: str
    dynamodb: Any
    streams: Any


class StreamPoller:
    """One event source: a thread that polls until it is stopped, whatever fails.

    Parameters
    ----------
    source
        As the template has it.
    stream
        Where the records come from.
    target
        Where they go to.
    first_wait
        Seconds before the first retry; each further one waits twice as long, at most half a minute.
    """

    def __init__(self, source: StreamSource, stream: Stream, target: Target, *, first_wait: float = 0.5) -> None:
        self._source = source
        self._stream = stream
        self._target = target
        self._first_wait = first_wait
        self._arn = ""
        self._shards: dict[str, _Shard] = {}
        self._ended: set[str] = set()
        self._looked = float("-inf")
        # What was written before is left out by its time, which is given in whole seconds: an iterator of the kind
        # LATEST that gets lost would lose with it what came meanwhile.
        self._since = int(time.time()) if source.starting_position == "LATEST" else float("-inf")
        self._failed = 0
        self._stopped = threading.Event()
        self._matches = _filter(source)
        self._threads = ThreadPoolExecutor(source.parallel) if source.parallel > 1 else None

    def start(self) -> None:
        """Begin to poll."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End after the call under way."""
        self._stopped.set()

    def poll(self) -> None:
        """Read what is new once, and start the function where a batch is ready."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._look()
        for shard in list(self._shards.values()):
            if shard.parent not in self._shards:  # a child comes after its parent
                self._step(shard)
            if shard.closed and not any(map(len, shard.lanes)):
                del self._shards[shard.name]
                self._ended.add(shard.name)
                self._looked = float("-inf")  # its children are there by now

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.poll()
                self._failed = 0
                wait = _POLL_SECONDS
            except Exception as error:  # whatever it is, the next poll may do better
                if not self._failed:
                    self._target.say(f"The stream of {self._stream.table} cannot be read for now: {_told(error)}")
                self._failed += 1
                wait = backoff(self._first_wait, self._failed)
                self._looked = float("-inf")
                for shard in self._shards.values():
                    shard.iterator = None
            self._stopped.wait(wait)

    def _look(self) -> None:
        """Find the stream and its shards."""
        arn = self._stream.dynamodb.describe_table(TableName=self._stream.table)["Table"].get("LatestStreamArn", "")
        if not arn:
            message = "it has none; only the schedule starts the function"
            raise LookupError(message)
        if arn != self._arn:
            self._arn, self._shards, self._ended = arn, {}, set()
        for shard in self._described():
            name = shard["ShardId"]
            if name not in self._shards and name not in self._ended:
                self._shards[name] = _Shard(name, shard.get("ParentShardId", ""), self._lanes())
        self._looked = time.monotonic()

    def _described(self) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            answer = self._stream.streams.describe_stream(StreamArn=self._arn, **more)["StreamDescription"]
            shards += answer["Shards"]
            if not answer.get("LastEvaluatedShardId"):
                return shards
            more = {"ExclusiveStartShardId": answer["LastEvaluatedShardId"]}

    def _lanes(self) -> list[Lane]:
        return [
            Lane(self._source, self._target, first_wait=self._first_wait, stopped=self._stopped)
            for _ in range(self._source.parallel)
        ]

    def _step(self, shard: _Shard) -> None:
        """Read what is new, and let every lane go on that can."""
        if not shard.closed and sum(map(len, shard.lanes)) < _MOST_WAITING:
            answer = self._stream.streams.get_records(ShardIterator=self._iterator(shard), Limit=_MOST_RECORDS)
            shard.read(answer)
            for record in answer["Records"]:
                written = event_record(record, self._arn)
                if self._wanted(written):
                    shard.lane(written).add(written)
        for lane in shard.lanes:
            if lane.is_ready(at_once=shard.closed):
                lane.busy = True
                if self._threads is None:
                    lane.work()
                else:
                    self._threads.submit(lane.work)

    def _iterator(self, shard: _Shard) -> str:
        if shard.iterator is None:
            place = {"ShardIteratorType": "TRIM_HORIZON"}
            if shard.last:
                place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.last}
            answer = self._stream.streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard.name, **place)
            shard.iterator = str(answer["ShardIterator"])
        return shard.iterator

    def _wanted(self, record: Record) -> bool:
        young = record["dynamodb"]["ApproximateCreationDateTime"] >= self._since
        return young and not is_too_old(record, self._source, now=time.time()) and self._matches(record)


class _Shard:
    """How far one shard has been read, and who works on what was read."""

    def __init__(self, name: str, parent: str, lanes: list[Lane]) -> None:
        self.name = name
        self.parent = parent
        self.lanes = lanes
        self.iterator: str | None = None
        self.last = ""
        self.closed = False

    def lane(self, record: Record) -> Lane:
        """Return the lane of a record: the same for the same keys."""
        keys = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
        return self.lanes[crc32(keys.encode()) % len(self.lanes)]

    def read(self, answer: dict[str, Any]) -> None:
        """Go on behind the records of an answer."""
        self.iterator = answer.get("NextShardIterator")
        self.closed = self.iterator is None
        if answer["Records"]:
            self.last = answer["Records"][-1]["dynamodb"]["SequenceNumber"]


def _filter(source: StreamSource) -> Callable[[Record], bool]:
    """Make the source's filters one; moto knows how EventBridge's patterns match."""
    from moto.events.models import EventPattern

    patterns: list[Any] = [EventPattern(None, dict(pattern)) for pattern in source.filters]

    def matches(record: Record) -> bool:
        return not patterns or any(pattern.matches_event(record) for pattern in patterns)

    return matches


def _told(error: Exception) -> str:
    """Tell an error in a line; one that is no failure of a service is a fault of this code, and told with its place."""
    from botocore.exceptions import BotoCoreError, ClientError

    if not isinstance(error, BotoCoreError | ClientError | OSError | LookupError):
        return "".join(traceback.format_exception(error))
    return " ".join(str(error).split())
