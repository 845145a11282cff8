"""AWS for the handlers: DynamoDB with the template's tables, and Secrets Manager; moto where no endpoint is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from local.services import Service, StartError, named_by
from local.stream_poller import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from boto3.session import Session

    from local.application import Table

_FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "fake-offline-id", "AWS_SECRET_ACCESS_KEY": "fake-offline-secret"}
# With the embedded AWS, nothing of the person's own account reaches a handler.
_NO_OWN_ACCOUNT: Mapping[str, str | None] = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_PROFILE": None,
    "AWS_SESSION_TOKEN": None,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_DEFAULT_REGION = "us-east-1"


def start_aws(environment: Mapping[str, str], tables: Iterable[Table]) -> Service:
    """Give AWS, with the tables made where they are missing.

    The history's table has the name that ``HISTORY_TABLE`` gives, when it is set.

    Raises
    ------
    StartError
        If DynamoDB does not answer or refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    named = {environment.get("HISTORY_TABLE") or table.name: table for table in tables}
    if endpoint:
        description, give = "the one that AWS_ENDPOINT_URL names", _own_account
    else:
        endpoint = _start_embedded()
        description, give = f"embedded, moto at {endpoint}", _no_account
    try:
        session, variables = give(environment)
        _create_tables(session, endpoint, named)
    except (BotoCoreError, ClientError) as error:
        message = f"The history's table cannot be made or found at {endpoint}: {error}"
        raise StartError(message) from error
    return Service(
        title="AWS",
        description=f"{description}; table {', '.join(named)}",
        embedded=give is _no_account,
        variables={
            **variables,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": session.region_name,
            "AWS_DEFAULT_REGION": session.region_name,
        },
    )


def stream_of(table: str, aws: Service) -> Stream:
    """Give the stream of a table of this AWS, as who polls it wants it."""
    from boto3.session import Session
    from botocore.config import Config

    own = aws.variables
    session = Session(
        own.get("AWS_ACCESS_KEY_ID"), own.get("AWS_SECRET_ACCESS_KEY"), region_name=own["AWS_DEFAULT_REGION"]
    )
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
    names = ("dynamodb", "dynamodbstreams")
    clients = [session.client(name, endpoint_url=own["AWS_ENDPOINT_URL"], config=config) for name in names]
    return Stream(table, *clients)


def _start_embedded() -> str:
    from local.embedded_aws import EmbeddedAws

    for name, value in _NO_OWN_ACCOUNT.items():  # moto asks boto3 as well
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    server = EmbeddedAws()
    server.start()
    return server.url


def _no_account(environment: Mapping[str, str]) -> tuple[Session, Mapping[str, str | None]]:
    """Give a session of an account that does not exist, and what makes the handlers' the same."""
    from boto3.session import Session

    region = named_by(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
    session = Session(*_FAKE_CREDENTIALS.values(), region_name=environment[region] if region else _DEFAULT_REGION)
    return session, {**_FAKE_CREDENTIALS, **_NO_OWN_ACCOUNT}


def _own_account(environment: Mapping[str, str]) -> tuple[Session, Mapping[str, str | None]]:
    """Give a session as the handlers have it; a service of this machine that needs no credentials gets fake ones."""
    from boto3.session import Session

    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # this is no EC2 instance: nobody would answer
    region = named_by(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
    session = Session(region_name=environment[region] if region else None)
    fake = {} if session.get_credentials() else _FAKE_CREDENTIALS
    return Session(*fake.values(), region_name=session.region_name or _DEFAULT_REGION), fake


def _create_tables(session: Session, endpoint: str, tables: Mapping[str, Table]) -> None:
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
    client = session.client("dynamodb", endpoint_url=endpoint, config=config)
    for name, table in tables.items():
        _create_table(client, name, table)


def _create_table(client: Any, name: str, table: Table) -> None:
    try:
        client.describe_table(TableName=name)
    except client.exceptions.ResourceNotFoundException:
        client.create_table(TableName=name, **table.definition)
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        if table.ttl_attribute:
            ttl = {"AttributeName": table.ttl_attribute, "Enabled": True}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
