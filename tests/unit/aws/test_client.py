"""Calls over a real connection: what is sent, what is tried again, and what an answer becomes."""

from __future__ import annotations

import base64
import json
import select
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.aws import AwsClient, Connections, Endpoint, NoAnswer, NotSent, Refused
from chat_core.aws import client as module
from chat_core.history.dynamodb.client import DYNAMODB
from tests.unit.aws.conftest import CUT, KEYS, FakeService

if TYPE_CHECKING:
    from collections.abc import Mapping


def error(code: str, **more: Any) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **more}).encode()


@pytest.fixture(autouse=True)
def _without_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LATER", 0.001)


def test_a_call_is_one_post_in_dynamodbs_form(service: FakeService, client: AwsClient) -> None:
    service.answers[:] = [(200, b'{"Item":{"pk":{"S":"\xe3\x81\x82"},"body":{"B":"AAH/"}}}')]
    answer = client.call("GetItem", {"TableName": "t", "Key": {"pk": {"S": "あ"}, "data": {"B": b"\x00\x01\xff"}}})
    assert answer == {"Item": {"pk": {"S": "あ"}, "body": {"B": b"\x00\x01\xff"}}}
    [asked] = service.asked
    assert asked.path == "/"
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert asked.headers["content-type"] == "application/x-amz-json-1.0"
    assert asked.headers["user-agent"] == "omoide"
    assert asked.headers["host"] == f"127.0.0.1:{service.port}"
    assert asked.json == {"TableName": "t", "Key": {"pk": {"S": "あ"}, "data": {"B": "AAH/"}}}
    assert "あ".encode() in asked.body


def test_an_attribute_named_b_is_no_bytes(service: FakeService, client: AwsClient) -> None:
    service.answers[:] = [(200, b'{"Item":{"B":{"S":"AAH/"}},"M":{"M":{"B":{"B":"AAH/"}}},"S":{"S":"B"}}')]
    answer = client.call("GetItem", {})
    assert answer == {"Item": {"B": {"S": "AAH/"}}, "M": {"M": {"B": {"B": b"\x00\x01\xff"}}}, "S": {"S": "B"}}


VALUES = st.recursive(
    st.one_of(
        st.builds(lambda one: {"S": one}, st.text()),
        st.builds(lambda one: {"B": one}, st.binary()),
        st.builds(lambda one: {"N": str(one)}, st.integers()),
        st.just({"BOOL": True}),
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: {"L": one}, st.lists(inner, max_size=3)),
        st.builds(lambda one: {"M": one}, st.dictionaries(st.sampled_from(["B", "S", "x"]), inner, max_size=3)),
    ),
    max_leaves=8,
)


class _Echo:
    """Answers with the request, as a table would with a row."""

    def send(self, headers: Mapping[str, str], body: bytes) -> Any:
        from chat_core.aws import Answer

        return Answer(200, body, str(zlib.crc32(body)))

    def is_ready(self) -> bool:
        return True

    def prepare(self) -> None:
        pass

    def close(self) -> None:
        pass


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_rows_come_back_as_they_were_sent(row: dict[str, Any]) -> None:
    client = AwsClient(DYNAMODB, Endpoint("http://x", "eu-central-1"), lambda: KEYS, _Echo())
    assert client.call("PutItem", {"Item": row}) == {"Item": row}


def test_large_bodies_pass_both_ways(service: FakeService, client: AwsClient) -> None:
    data = bytes(range(256)) * 12_000
    body = json.dumps({"Item": {"data": {"B": base64.b64encode(data).decode()}}}).encode()
    service.answers[:] = [(200, body, {"x-amz-crc32": str(zlib.crc32(body))})]
    assert client.call("PutItem", {"Item": {"data": {"B": data}}})["Item"]["data"]["B"] == data
    assert service.asked[0].json["Item"]["data"]["B"] == base64.b64encode(data).decode()


def test_a_lone_surrogate_is_sent_as_an_escape(service: FakeService, client: AwsClient) -> None:
    client.call("PutItem", {"Item": {"text": {"S": "a\ud800b"}}})
    assert b"\\ud800" in service.asked[0].body


# What is tried again


@pytest.mark.parametrize(
    "failure",
    [
        CUT,
        (500, b""),
        (503, b"<html>"),
        (500, error("InternalServerError")),
        (400, error("ThrottlingException")),
        (400, error("ProvisionedThroughputExceededException")),
        (400, error("TransactionInProgressException")),
        (429, b""),
        (200, b"{}", {"x-amz-crc32": "1"}),
        (200, b"{", {"content-length": "9", "connection": "close"}),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one[0]} {one[1].decode()[-30:]}",
)
def test_what_passes_is_tried_three_times(service: FakeService, client: AwsClient, failure: Any) -> None:
    service.answers[:] = [failure, failure, (200, b'{"Item":{}}')]
    assert client.call("TransactWriteItems", {"ClientRequestToken": "token"}) == {"Item": {}}
    assert len(service.asked) == 3
    assert {asked.body for asked in service.asked} == {b'{"ClientRequestToken":"token"}'}
    service.asked.clear()
    service.answers[:] = [failure]
    with pytest.raises((Refused, NoAnswer)):
        client.call("GetItem", {})
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ConditionalCheckFailedException"),
        (400, "TransactionCanceledException"),
        (400, "TransactionConflictException"),
        (400, "ValidationException"),
        (400, "AccessDeniedException"),
        (400, "ExpiredTokenException"),
        (400, "UnrecognizedClientException"),
        (403, ""),
    ],
)
def test_what_would_end_the_same_is_not(service: FakeService, client: AwsClient, status: int, code: str) -> None:
    service.answers[:] = [(status, error(code) if code else b"")]
    with pytest.raises(Refused) as refused:
        client.call("UpdateItem", {})
    assert (refused.value.code, refused.value.status) == (code, status)
    assert len(service.asked) == 1


@pytest.mark.parametrize("failure", [CUT, (500, b""), (400, error("ThrottlingException"))])
def test_one_try_is_one(service: FakeService, client: AwsClient, failure: Any) -> None:
    service.answers[:] = [failure]
    with pytest.raises((Refused, NoAnswer)):
        client.call("PutItem", {}, tries=1)
    assert len(service.asked) == 1


def test_nothing_is_tried_again_that_was_given_up(service: FakeService, client: AwsClient) -> None:
    given_up = threading.Event()
    service.before = given_up.set
    service.answers[:] = [(500, b"")]
    with pytest.raises(NotSent):
        client.call("UpdateItem", {}, given_up=given_up)
    assert len(service.asked) == 1


def test_who_gives_up_ends_the_wait_for_another_try(
    service: FakeService, client: AwsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LATER", 3_600.0)
    monkeypatch.setattr(module._RANDOM, "uniform", lambda _, most: most)
    service.answers[:] = [(400, error("ThrottlingException"))]
    given_up = threading.Event()
    threading.Timer(0.05, given_up.set).start()
    with pytest.raises(NotSent):
        client.call("UpdateItem", {}, given_up=given_up)
    assert len(service.asked) == 1


def test_waits_grow_and_are_longer_after_too_many_requests(
    service: FakeService, client: AwsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LATER", 1.0)
    most: list[float] = []

    def drawn(_: float, longest: float) -> float:
        most.append(longest)
        return 0.0

    monkeypatch.setattr(module._RANDOM, "uniform", drawn)
    for answer in ((500, b""), (400, error("ThrottlingException"))):
        service.answers[:] = [answer]
        with pytest.raises(Refused):
            client.call("GetItem", {})
    assert most == [0.025, 0.05, 1.0, 2.0]


# What an answer becomes


def test_a_refusal_tells_why_each_action_failed(service: FakeService, client: AwsClient) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"data": {"B": "AAH/"}}, "Message": "no"}]
    service.answers[:] = [(400, error("TransactionCanceledException", CancellationReasons=reasons, Message="a row"))]
    with pytest.raises(Refused) as refused:
        client.call("TransactWriteItems", {})
    assert refused.value.answer["CancellationReasons"][1]["Item"] == {"data": {"B": b"\x00\x01\xff"}}
    assert "a row" not in str(refused.value)


def test_a_failed_condition_has_the_row(service: FakeService, client: AwsClient) -> None:
    service.answers[:] = [(400, error("ConditionalCheckFailedException", Item={"pk": {"S": "x"}}))]
    with pytest.raises(Refused) as refused:
        client.call("UpdateItem", {})
    assert refused.value.answer["Item"] == {"pk": {"S": "x"}}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"x"'])
def test_an_answer_that_cannot_be_read_is_none(service: FakeService, client: AwsClient, body: bytes) -> None:
    service.answers[:] = [(200, body)]
    with pytest.raises(NoAnswer):
        client.call("GetItem", {})


# Connections


def test_a_connection_is_kept(service: FakeService, client: AwsClient) -> None:
    for _ in range(5):
        client.call("GetItem", {})
    assert len({asked.connection for asked in service.asked}) == 1


def test_a_connection_that_the_service_closed_meanwhile_is_not_used_again(
    service: FakeService, client: AwsClient
) -> None:
    """An environment that slept finds its connection closed: not even a call with one try fails by that."""
    service.keeps = False
    for _ in range(3):
        assert client.call("PutItem", {}, tries=1) == {}
        kept = client._sender._idle[0].sock  # type: ignore[attr-defined]
        assert select.select([kept], [], [], 5)[0]
    assert len({asked.connection for asked in service.asked}) == 3


def test_who_prepares_has_a_connection_for_the_call(service: FakeService, client: AwsClient) -> None:
    assert not client.is_ready()
    for _ in range(2):
        client.prepare()
        assert client.is_ready()
    [kept] = client._sender._idle  # type: ignore[attr-defined]
    own = kept.sock.getsockname()[1]
    client.call("PutItem", {}, tries=1)
    assert [asked.connection for asked in service.asked] == [own]


def test_what_the_service_closed_is_made_anew(service: FakeService, client: AwsClient) -> None:
    service.keeps = False
    client.call("GetItem", {})
    [kept] = client._sender._idle  # type: ignore[attr-defined]
    assert select.select([kept.sock], [], [], 5)[0]
    assert not client.is_ready()
    client.prepare()
    assert client.is_ready()


def test_a_request_is_one_packet(monkeypatch: pytest.MonkeyPatch, service: FakeService, client: AwsClient) -> None:
    client.prepare()
    [kept] = client._sender._idle  # type: ignore[attr-defined]
    sent: list[bytes] = []
    plain = kept.sock

    class Watched:
        def sendall(self, data: bytes) -> None:
            sent.append(data)
            plain.sendall(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(plain, name)

    monkeypatch.setattr(kept, "sock", Watched())
    client.call("GetItem", {"TableName": "t"})
    [request] = sent
    assert request.startswith(b"POST / HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"TableName":"t"}')


def test_calls_at_the_same_time_have_connections_of_their_own(service: FakeService, client: AwsClient) -> None:
    together = threading.Barrier(4)
    service.before = lambda: together.wait(5)
    threads = [threading.Thread(target=client.call, args=("GetItem", {})) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len({asked.connection for asked in service.asked}) == 4


def test_silence_is_no_answer(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_core.aws.connections.READ_SECONDS", 0.05)
    ended = threading.Event()
    service.before = lambda: ended.wait(5)
    endpoint = Endpoint(service.url, "eu-central-1")
    client = AwsClient(DYNAMODB, endpoint, lambda: KEYS, Connections(endpoint))
    with pytest.raises(NoAnswer, match="TimeoutError"):
        client.call("GetItem", {}, tries=1)
    ended.set()


def test_nobody_there() -> None:
    endpoint = Endpoint("http://127.0.0.1:1", "eu-central-1")
    client = AwsClient(DYNAMODB, endpoint, lambda: KEYS, Connections(endpoint))
    with pytest.raises(NoAnswer, match="ConnectionRefusedError"):
        client.call("GetItem", {})
    with pytest.raises(NoAnswer, match="ConnectionRefusedError"):
        client.prepare()
    client.close()
