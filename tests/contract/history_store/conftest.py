"""The stores under test: in memory, and DynamoDB on the embedded one or on the one that ``DYNAMODB_ENDPOINT`` names."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session

from chat_core.history.dynamodb import Table
from local.application import read_application
from local.embedded_aws import EmbeddedAws
from tests.contract.history_store.builders import Clock, Stores
from tests.contract.history_store.dynamodb import StrictClient
from tests.table_client import client_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chat_core.aws import AwsClient

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    given = os.environ.get("DYNAMODB_ENDPOINT")
    if given:
        yield given
        return
    with EmbeddedAws() as server:
        yield server.url


@pytest.fixture(scope="session")
def boto(endpoint: str) -> Iterator[Any]:
    session = Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1")
    client = session.client("dynamodb", endpoint_url=endpoint)
    yield client
    client.close()


@pytest.fixture(scope="session")
def definition() -> Mapping[str, Any]:
    (table,) = read_application(TEMPLATE).tables
    return table.definition


@pytest.fixture
def table(boto: Any, definition: Mapping[str, Any]) -> Iterator[str]:
    name = f"history-{uuid.uuid4().hex}"
    boto.create_table(TableName=name, **definition)
    yield name
    boto.delete_table(TableName=name)


@pytest.fixture(scope="session")
def aws(endpoint: str) -> Iterator[AwsClient]:
    client = client_at(endpoint)
    yield client
    client.close()


@pytest.fixture
def client(aws: AwsClient) -> StrictClient:
    return StrictClient(aws)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dynamo(table: str, client: StrictClient, clock: Clock) -> Stores:
    return Stores.in_dynamodb(Table(table, client=lambda: client, clock=clock))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Stores:
    if request.param == "memory":
        return Stores.in_memory(clock)
    dynamo: Stores = request.getfixturevalue("dynamo")
    return dynamo


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
