"""A stream of the embedded DynamoDB starts a function, whatever fails on the way."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.embedded_aws import EmbeddedAws
from local.event_sources import StreamSource
from local.stream_lane import Target
from local.stream_poller import Stream, StreamPoller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_names = count()
DUE = {"dynamodb": {"Keys": {"sk": {"S": ["due"]}}}, "eventName": ["INSERT", "MODIFY"]}
SOURCE = StreamSource(
    "T", starting_position="TRIM_HORIZON", batch_size=3, filters=(DUE,), bisect=True, retries=3, partial=True
)


@dataclass
class Function:
    """A function of the test's; it keeps what it was started with and answers as it is told to."""

    answers: Callable[[list[str]], bytes | None] = lambda _: b"{}"
    seen: list[list[str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __call__(self, event: bytes) -> bytes | None:
        parsed = json.loads(event)
        names = [record["dynamodb"]["Keys"]["pk"]["S"] for record in parsed["Records"]]
        self.events.append(parsed)
        self.seen.append(names)
        return self.answers(names)


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[Any, Any]]:
    own = {"region_name": "us-east-1", "aws_access_key_id": "fake-id", "aws_secret_access_key": "fake-secret"}
    with (
        EmbeddedAws() as aws,
        closing(boto3.client("dynamodb", endpoint_url=aws.url, **own)) as dynamodb,
        closing(boto3.client("dynamodbstreams", endpoint_url=aws.url, **own)) as streams,
    ):
        yield dynamodb, streams


def create(dynamodb: Any, name: str, *, streamed: bool = True) -> None:
    more = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}} if streamed else {}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        **more,
    )


@pytest.fixture
def stream(clients: tuple[Any, Any]) -> Stream:
    name = f"polled-{next(_names)}"
    create(clients[0], name)
    return Stream(name, *clients)


def put(stream: Stream, pk: str, sk: str = "due") -> None:
    stream.dynamodb.put_item(TableName=stream.table, Item={"pk": {"S": pk}, "sk": {"S": sk}})


def poller(stream: Stream, function: Function, source: StreamSource = SOURCE) -> StreamPoller:
    return StreamPoller(source, stream, Target(function, function.said.append), first_wait=0.001)


def until(condition: Callable[[], bool], polled: StreamPoller | None = None) -> None:
    """Wait for a condition, polling meanwhile."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        if polled is not None:
            polled.poll()
        time.sleep(0.005)


def test_what_the_filter_takes_comes_in_batches_as_lambda_sends_them(stream: Stream) -> None:
    function = Function()
    polled = poller(stream, function)
    for number in range(5):
        put(stream, f"u/{number}")
        put(stream, f"u/{number}", "item#1")
    stream.dynamodb.delete_item(TableName=stream.table, Key={"pk": {"S": "u/0"}, "sk": {"S": "due"}})
    polled.poll()
    polled.poll()
    assert function.seen == [["u/0", "u/1", "u/2"], ["u/3", "u/4"]]
    record = function.events[0]["Records"][0]
    assert record["eventSource"] == "aws:dynamodb"
    assert record["eventSourceARN"].endswith(f"table/{stream.table}/stream/" + record["eventSourceARN"].split("/")[-1])
    assert abs(record["dynamodb"]["ApproximateCreationDateTime"] - time.time()) < 100
    assert record["dynamodb"]["Keys"] == {"pk": {"S": "u/0"}, "sk": {"S": "due"}}


@pytest.mark.parametrize(("position", "expected"), [("LATEST", [["new"]]), ("TRIM_HORIZON", [["old", "new"]])])
def test_it_begins_where_the_template_says(stream: Stream, position: str, expected: list[list[str]]) -> None:
    function = Function()
    put(stream, "old")
    time.sleep(1.1)  # times are told in seconds
    polled = poller(stream, function, replace(SOURCE, starting_position=position))
    put(stream, "new")
    polled.poll()
    assert function.seen == expected


def test_a_batch_waits_for_more_as_long_as_its_window(stream: Stream) -> None:
    function = Function()
    polled = poller(stream, function, replace(SOURCE, window=3_600))
    for number in range(2):
        put(stream, f"{number}")
        polled.poll()
    assert function.seen == []
    put(stream, "2")
    polled.poll()
    assert function.seen == [["0", "1", "2"]]


def test_what_the_function_names_as_failed_is_tried_again_and_nothing_else(stream: Stream) -> None:
    function = Function()

    def fails_once(names: list[str]) -> bytes:
        if len(function.seen) > 1:
            return b"{}"
        number = function.events[-1]["Records"][names.index("1")]["dynamodb"]["SequenceNumber"]
        return json.dumps({"batchItemFailures": [{"itemIdentifier": number}]}).encode()

    function.answers = fails_once
    for number in range(3):
        put(stream, f"{number}")
    polled = poller(stream, function)
    until(lambda: len(function.seen) == 2, polled)
    assert function.seen == [["0", "1", "2"], ["1", "2"]]


def test_a_record_that_always_fails_is_given_up_and_holds_up_no_other(stream: Stream) -> None:
    function = Function(lambda names: None if "bad" in names else b"{}")
    for name in ("a", "bad", "b", "c"):
        put(stream, name)
    polled = poller(stream, function)
    until(lambda: ["c"] in function.seen, polled)
    assert function.seen.count(["bad"]) == 1 + SOURCE.retries
    assert function.seen[-1] == ["c"]
    assert "1 record(s) of the stream are given up" in function.said[0]


class Restless:
    """A client whose calls fail now and then, before they are made or after."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._chance = random.Random(7)

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            fate = self._chance.random()
            if fate < 0.2:
                raise ConnectionError("refused")
            answer = getattr(self._client, name)(**arguments)
            if fate < 0.3:
                raise ConnectionError("the answer was lost")
            return answer

        return call


@pytest.mark.parametrize("position", ["LATEST", "TRIM_HORIZON"])
def test_polls_that_fail_lose_nothing(stream: Stream, position: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.stream_poller._POLL_SECONDS", 0.01)
    function = Function()
    restless = Stream(stream.table, Restless(stream.dynamodb), Restless(stream.streams))
    polled = poller(restless, function, replace(SOURCE, starting_position=position, batch_size=1))
    polled.start()
    try:
        for number in range(20):
            put(stream, f"{number}")
            time.sleep(0.02)
        until(lambda: ["19"] in function.seen)
    finally:
        polled.stop()
    assert function.seen == [[f"{number}"] for number in range(20)]
    assert "cannot be read for now: " in function.said[0]


def test_a_table_that_was_made_anew_is_followed(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.stream_poller._LOOK_SECONDS", 0.0)
    function = Function()
    polled = poller(stream, function)
    put(stream, "old")
    polled.poll()
    stream.dynamodb.delete_table(TableName=stream.table)
    create(stream.dynamodb, stream.table)
    put(stream, "new")
    polled.poll()
    assert function.seen == [["old"], ["new"]]


def test_a_table_without_a_stream_is_told_once(clients: tuple[Any, Any]) -> None:
    name = f"polled-{next(_names)}"
    create(clients[0], name, streamed=False)
    function = Function()
    polled = poller(Stream(name, *clients), function)
    polled.start()
    until(lambda: bool(function.said))
    time.sleep(0.1)
    polled.stop()
    assert function.said == [
        f"The stream of {name} cannot be read for now: it has none; only the schedule starts the function"
    ]


def test_a_batch_that_takes_long_holds_up_its_own_lane_alone(stream: Stream) -> None:
    gate = threading.Event()

    def slow(names: list[str]) -> bytes:
        if "slow" in names:
            gate.wait(30)
        return b"{}"

    function = Function(slow)
    polled = poller(stream, function, replace(SOURCE, batch_size=1, parallel=4))
    put(stream, "slow")
    for number in range(12):
        put(stream, f"{number}")
    others = [[f"{number}"] for number in range(12)]

    def done_but_few() -> bool:  # those of the slow one's own lane wait for it
        return sum(names in function.seen for names in others) >= 6

    until(done_but_few, polled)
    assert not gate.is_set()
    gate.set()
    until(lambda: all(names in function.seen for names in others), polled)
    assert len(function.seen) == 13
