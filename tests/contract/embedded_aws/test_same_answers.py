"""Whatever DynamoDB is asked, the embedded AWS answers what moto as it is answers."""

from __future__ import annotations

import socket
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from local.embedded_aws import EmbeddedAws
from tests.contract.embedded_aws.caller import Caller, signature
from tests.contract.embedded_aws.calls import DEFINITION, FIRST, TABLE, Drawn
from tests.nightly import NIGHTLY

if TYPE_CHECKING:
    from tests.contract.embedded_aws.calls import Call

_TIMES = ("CreationDateTime", "LatestStreamArn", "LatestStreamLabel")


def settled(value: Any) -> Any:
    """A value without what time makes of it."""
    if isinstance(value, dict):
        return {name: settled(each) for name, each in value.items() if name not in _TIMES}
    return [settled(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(400 if NIGHTLY else 20))
def test_any_calls_are_answered_as_moto_answers_them(embedded: Caller, moto: Caller, seed: int) -> None:
    for each in (embedded, moto):
        each("DeleteTable", {"TableName": TABLE})
        each("CreateTable", DEFINITION)
    drawn = Drawn(Random(seed))
    puts: list[Call] = [("PutItem", {"TableName": TABLE, "Item": item}) for item in FIRST]
    for operation, body in [*puts, *(drawn.call() for _ in range(30)), ("Scan", {"TableName": TABLE})]:
        assert embedded(operation, body) == moto(operation, body), (operation, body)


def test_what_is_no_call_on_items_is_answered_alike(embedded: Caller, moto: Caller) -> None:
    name = "told"
    calls: list[Call] = [
        ("DescribeTable", {"TableName": name}),
        ("CreateTable", {**DEFINITION, "TableName": name}),
        ("CreateTable", {**DEFINITION, "TableName": name}),
        ("DescribeTable", {"TableName": name}),
        ("UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": True}}),
        ("DescribeTimeToLive", {"TableName": name}),
        ("UpdateTimeToLive", {"TableName": "missing", "TimeToLiveSpecification": {}}),
        ("DescribeLimits", {}),
        ("DescribeContinuousBackups", {"TableName": name}),
        ("DeleteTable", {"TableName": name}),
        ("DeleteTable", {"TableName": name}),
    ]
    for operation, body in calls:
        mine, theirs = embedded(operation, body), moto(operation, body)
        assert (mine.status, settled(mine.body)) == (theirs.status, settled(theirs.body)), operation


def test_each_region_has_its_own_tables(embedded: Caller, moto: Caller) -> None:
    for each in (embedded, moto):
        for region in ("eu-west-1", "ap-northeast-1"):
            each("CreateTable", {**DEFINITION, "TableName": region}, Authorization=signature(region))
        for region in ("eu-west-1", "ap-northeast-1"):
            answer = each("ListTables", {}, Authorization=signature(region))
            assert answer.body == {"TableNames": [region]}
        agent = {"Authorization": signature("eu-west-1"), "User-Agent": "aws-sdk region/ap-northeast-1"}
        assert each("ListTables", {}, **agent).body == {"TableNames": ["ap-northeast-1"]}
        account = {"Authorization": signature("eu-west-1"), "x-moto-account-id": "111111111111"}
        assert each("ListTables", {}, **account).body == {"TableNames": []}


def test_one_text_is_read_anew_with_other_names_and_values(embedded: Caller, moto: Caller) -> None:
    for each in (embedded, moto):
        each("DeleteTable", {"TableName": TABLE})
        each("CreateTable", DEFINITION)
    key = {"pk": {"S": "p"}, "sk": {"S": "1"}}
    update = "SET #v = if_not_exists(#v, :v), n = if_not_exists(n, :n) + :n"
    told = []
    for name, value in [("a", "x"), ("a", "y"), ("b", "y"), ("a", "x"), ("b", "x"), ("sk", "x"), ("b", "y")]:
        names, values = {"#v": name}, {":v": {"S": value}, ":n": {"N": "1"}}
        used = {"TableName": TABLE, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        calls: list[Call] = [
            ("UpdateItem", {**used, "Key": key, "UpdateExpression": update, "ReturnValues": "ALL_NEW"}),
            ("UpdateItem", {**used, "Key": key, "UpdateExpression": "SET z = :n, y = :v, x = #v"}),
            ("Scan", {**used, "FilterExpression": "#v = :v AND n >= :n"}),
            ("DeleteItem", {**used, "Key": {**key, "sk": {"S": "2"}}, "ConditionExpression": "#v = :v OR n = :n"}),
            ("Scan", {**used, "FilterExpression": "#v = :v", "ExpressionAttributeValues": {":n": {"N": "9"}}}),
        ]
        for operation, body in calls:
            answer = embedded(operation, body)
            assert answer == moto(operation, body), (operation, body)
            told.append(answer)
    assert len({str(answer) for answer in told[::5]}) == len(told[::5])


def test_what_is_no_http_is_refused_and_the_next_caller_served(embedded: Caller) -> None:
    line = b"POST / HTTP/1.1\r\n"
    for broken in (b"nonsense\r\n\r\n", line + b"no colon\r\n\r\n", line + b"Content-Length: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", embedded.port), timeout=10) as connection:
            connection.sendall(broken)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400 ")
            assert connection.recv(1) == b""
    assert embedded("ListTables", {}).status == 200


def test_a_server_that_ends_ends_its_connections() -> None:
    aws = EmbeddedAws()
    aws.start()
    with Caller(aws.url) as caller:
        assert caller("ListTables", {}).status == 200
        aws.stop()
        with pytest.raises(ConnectionError):
            caller("ListTables", {})
