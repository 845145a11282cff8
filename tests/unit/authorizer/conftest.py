from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session
from moto import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "history"


@pytest.fixture(scope="module")
def session() -> Session:
    """One for all: each reads the API's model anew."""
    return Session("fake", "fake", region_name="eu-west-1")


@pytest.fixture
def table(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """boto3's client of an account with an empty table."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    names = ("pk", "sk")
    with mock_aws():
        client = session.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=True)],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client
