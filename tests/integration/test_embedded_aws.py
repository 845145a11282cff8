from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import Item

from local.embedded_aws import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Iterator

_names = count()


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with EmbeddedAws() as aws:
        client = boto3.client(
            "dynamodb",
            endpoint_url=aws.url,
            region_name="us-east-1",
            aws_access_key_id="fake-id",
            aws_secret_access_key="fake-secret",
        )
        with closing(client):
            yield client


@pytest.fixture(params=[True, False], ids=["with a range key", "without"])
def table(dynamodb: Any, request: pytest.FixtureRequest) -> str:
    name = f"embedded-aws-{next(_names)}"
    keys = [("pk", "HASH"), ("sk", "RANGE")][: 2 if request.param else 1]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
    )
    return name


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns so often that what is not guarded comes to light."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def key(dynamodb: Any, table: str, name: str) -> dict[str, Any]:
    schema = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    return {part["AttributeName"]: {"S": name} for part in schema}


def put(dynamodb: Any, table: str, name: str, value: int) -> None:
    dynamodb.put_item(TableName=table, Item={**key(dynamodb, table, name), "value": {"N": str(value)}})


def values(dynamodb: Any, table: str) -> dict[str, str]:
    return {item["pk"]["S"]: item["value"]["N"] for item in dynamodb.scan(TableName=table)["Items"]}


def operations(dynamodb: Any, table: str, *, condition: str) -> list[dict[str, Any]]:
    """Change ``updated``, add ``added``, delete ``deleted``, if the condition on ``checked`` holds."""
    of = {"TableName": table}
    return [
        {
            "Update": {
                **of,
                "Key": key(dynamodb, table, "updated"),
                "UpdateExpression": "SET #v = :v",
                "ExpressionAttributeNames": {"#v": "value"},
                "ExpressionAttributeValues": {":v": {"N": "2"}},
            }
        },
        {"Put": {**of, "Item": {**key(dynamodb, table, "added"), "value": {"N": "2"}}}},
        {"Delete": {**of, "Key": key(dynamodb, table, "deleted")}},
        {"ConditionCheck": {**of, "Key": key(dynamodb, table, "checked"), "ConditionExpression": condition}},
    ]


def test_a_transaction_is_made_whole(dynamodb: Any, table: str) -> None:
    for name in ("updated", "deleted"):
        put(dynamodb, table, name, 1)
    dynamodb.transact_write_items(
        TransactItems=operations(dynamodb, table, condition="attribute_not_exists(pk)"),
    )
    assert values(dynamodb, table) == {"updated": "2", "added": "2"}


def test_a_transaction_that_is_refused_leaves_nothing(dynamodb: Any, table: str) -> None:
    for name in ("updated", "deleted", "other"):
        put(dynamodb, table, name, 1)
    refused = operations(dynamodb, table, condition="attribute_exists(pk)")
    for _ in range(2):
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            dynamodb.transact_write_items(TransactItems=refused)
        assert values(dynamodb, table) == {"updated": "1", "deleted": "1", "other": "1"}
    put(dynamodb, table, "checked", 1)
    dynamodb.transact_write_items(TransactItems=refused)
    assert values(dynamodb, table) == {"updated": "2", "added": "2", "other": "1", "checked": "1"}


def test_a_transaction_on_a_table_that_is_missing_is_refused(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, "updated", 1)
    wrong = operations(dynamodb, table, condition="attribute_not_exists(pk)")
    wrong[1]["Put"]["TableName"] = "no-such-table"
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(TransactItems=wrong)
    assert values(dynamodb, table) == {"updated": "1"}


def test_a_transaction_costs_what_it_touches(dynamodb: Any, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        put(dynamodb, table, f"other {number}", 1)
    copied = []
    deepcopy = Item.__deepcopy__

    def counted(item: Item, memo: dict[int, Any]) -> Item:
        copied.append(item)
        return deepcopy(item, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    put(dynamodb, table, "updated", 1)
    dynamodb.transact_write_items(
        TransactItems=operations(dynamodb, table, condition="attribute_not_exists(pk)"),
    )
    assert copied, "moto copies in another way now: this test sees nothing"
    assert len(copied) < 10


@pytest.mark.usefixtures("restless")
def test_one_of_several_conditional_writes_wins(dynamodb: Any, table: str) -> None:
    def take(name: str) -> bool:
        try:
            dynamodb.put_item(
                TableName=table,
                Item={**key(dynamodb, table, name), "value": {"N": "1"}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as takers:
        for number in range(10):
            assert sum(takers.map(take, [f"lease {number}"] * 8)) == 1


@pytest.mark.usefixtures("restless")
def test_a_refused_transaction_takes_back_no_write_of_others(dynamodb: Any, table: str) -> None:
    refused = operations(dynamodb, table, condition="attribute_exists(pk)")

    def refuse(_: int) -> None:
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            dynamodb.transact_write_items(TransactItems=refused)

    with ThreadPoolExecutor(8) as threads:
        writes = [threads.submit(put, dynamodb, table, f"other {number}", number) for number in range(40)]
        refusals = [threads.submit(refuse, number) for number in range(40)]
        for done in writes + refusals:
            done.result()
    assert values(dynamodb, table) == {f"other {number}": str(number) for number in range(40)}


def test_a_query_gives_every_type_as_it_was_put(dynamodb: Any, table: str) -> None:
    item = {
        **key(dynamodb, table, "渡辺"),
        "text": {"S": "改行\n“🎉”"},
        "number": {"N": "1.5"},
        "bytes": {"B": b"\x00\xff"},
        "map": {"M": {"list": {"L": [{"BOOL": True}, {"NULL": True}, {"B": b"\x01"}]}}},
        "set": {"SS": ["a", "b"]},
    }
    dynamodb.put_item(TableName=table, Item=item)
    answer = dynamodb.query(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "渡辺"}}
    )
    assert answer["Items"] == [item]
    assert (answer["Count"], answer["ScannedCount"]) == (1, 1)
    assert "LastEvaluatedKey" not in answer
