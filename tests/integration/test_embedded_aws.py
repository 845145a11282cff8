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
from moto.dynamodb.models.table import Table
from moto.dynamodbstreams.models import dynamodbstreams_backends

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


def test_a_query_costs_what_its_partition_holds(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"embedded-aws-{next(_names)}"
    index = {"IndexName": "by_owner", "Projection": {"ProjectionType": "ALL"}}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "owner")],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in (("pk", "HASH"), ("sk", "RANGE"))],
        GlobalSecondaryIndexes=[{**index, "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}]}],
    )
    for place in ("b2", "a1", "b1", "a2"):
        row = {"pk": {"S": place[0]}, "sk": {"S": place}, "owner": {"S": place[1]}}
        dynamodb.put_item(TableName=name, Item=row)
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": "a3"}})
    monkeypatch.setattr(Table, "all_items", None)  # moto's walk over all there is

    def places(attribute: str, value: str, **more: Any) -> list[str]:
        asked = {"KeyConditionExpression": f"{attribute} = :v", "ExpressionAttributeValues": {":v": {"S": value}}}
        pages = dynamodb.get_paginator("query").paginate(TableName=name, **asked, **more)
        return [row["sk"]["S"] for page in pages for row in page["Items"]]

    for paged in ({}, {"Limit": 1}):
        assert places("pk", "a", **paged) == ["a1", "a2", "a3"]
        assert places("pk", "b", ScanIndexForward=False, **paged) == ["b2", "b1"]
        assert places("pk", "c", **paged) == []
        assert sorted(places("owner", "1", IndexName="by_owner", **paged)) == ["a1", "b1"]
        assert sorted(places("owner", "2", IndexName="by_owner", **paged)) == ["a2", "b2"]


# ---- the table's stream


@pytest.fixture
def stream_client() -> Iterator[Any]:
    with EmbeddedAws() as aws:
        own = {"region_name": "us-east-1", "aws_access_key_id": "fake-id", "aws_secret_access_key": "fake-secret"}
        with closing(boto3.client("dynamodbstreams", endpoint_url=aws.url, **own)) as client:
            yield client


@pytest.fixture(params=["KEYS_ONLY", "NEW_AND_OLD_IMAGES"])
def streamed(dynamodb: Any, request: pytest.FixtureRequest) -> str:
    name = f"embedded-aws-{next(_names)}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": request.param},
    )
    return name


def records(dynamodb: Any, streams: Any, table: str) -> list[dict[str, Any]]:
    """All records, read two at a time."""
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    found: list[dict[str, Any]] = []
    while page := (answer := streams.get_records(ShardIterator=iterator, Limit=2))["Records"]:
        found += page
        iterator = answer["NextShardIterator"]
    return found


def told(record: dict[str, Any]) -> tuple[str, str]:
    return record["eventName"], record["dynamodb"]["Keys"]["sk"]["S"]


def test_what_is_written_is_in_the_stream_in_order(dynamodb: Any, stream_client: Any, streamed: str) -> None:
    for name in ("updated", "deleted"):
        put(dynamodb, streamed, name, 1)
    held = operations(dynamodb, streamed, condition="attribute_not_exists(pk)")
    dynamodb.transact_write_items(TransactItems=held)
    found = records(dynamodb, stream_client, streamed)
    assert [told(record) for record in found] == [
        ("INSERT", "updated"),
        ("INSERT", "deleted"),
        ("MODIFY", "updated"),
        ("INSERT", "added"),
        ("REMOVE", "deleted"),
    ]
    view = found[0]["dynamodb"]["StreamViewType"]
    assert [set(record["dynamodb"]) & {"OldImage", "NewImage"} for record in found[2:]] == (
        [set()] * 3 if view == "KEYS_ONLY" else [{"OldImage", "NewImage"}, {"NewImage"}, {"OldImage"}]
    )
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in found]
    assert numbers == sorted(set(numbers))


def test_a_refused_transaction_leaves_no_record(dynamodb: Any, stream_client: Any, streamed: str) -> None:
    for name in ("updated", "deleted"):
        put(dynamodb, streamed, name, 1)
    before = records(dynamodb, stream_client, streamed)
    refused = operations(dynamodb, streamed, condition="attribute_exists(pk)")
    for _ in range(2):
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            dynamodb.transact_write_items(TransactItems=refused)
    assert records(dynamodb, stream_client, streamed) == before
    put(dynamodb, streamed, "after", 1)
    assert [told(record) for record in records(dynamodb, stream_client, streamed)[2:]] == [("INSERT", "after")]


def test_who_waits_at_the_end_of_the_stream_sees_no_record_of_a_refused_transaction(
    dynamodb: Any, stream_client: Any, streamed: str
) -> None:
    arn = dynamodb.describe_table(TableName=streamed)["Table"]["LatestStreamArn"]
    [shard] = stream_client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    end = stream_client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
    refused = operations(dynamodb, streamed, condition="attribute_exists(pk)")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=refused)
    put(dynamodb, streamed, "after", 1)
    answer = stream_client.get_records(ShardIterator=end["ShardIterator"])
    assert [told(record) for record in answer["Records"]] == [("INSERT", "after")]


def test_polling_for_long_keeps_little(
    dynamodb: Any, stream_client: Any, streamed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.embedded_stream._KEPT_ITERATORS", 10)
    arn = dynamodb.describe_table(TableName=streamed)["Table"]["LatestStreamArn"]
    [shard] = stream_client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = stream_client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
    following = iterator["ShardIterator"]
    for _ in range(15):
        following = stream_client.get_records(ShardIterator=following)["NextShardIterator"]
    backend = dynamodbstreams_backends["123456789012"][dynamodb.meta.region_name]
    assert len(backend.shard_iterators) <= 10
    put(dynamodb, streamed, "late", 1)
    assert len(stream_client.get_records(ShardIterator=following)["Records"]) == 1
