from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session

from local.embedded_aws import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "history"


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[Any]:
    """boto3's client of an account without a table; one for all, as it takes longer to make than a test."""
    with EmbeddedAws() as aws:
        client = Session("fake", "fake", region_name="eu-west-1").client("dynamodb", endpoint_url=aws.url)
        with closing(client):
            yield client


@pytest.fixture
def table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """boto3's client of an account with an empty table; one that a part makes for itself finds it, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", dynamodb.meta.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    names = ("pk", "sk")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=True)],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
        BillingMode="PAY_PER_REQUEST",
    )
    yield dynamodb
    if TABLE in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=TABLE)
