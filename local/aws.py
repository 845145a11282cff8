"""AWS for the handlers: DynamoDB with the template's tables, and Secrets Manager; moto where no endpoint is named."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from local.services import Service, StartError, named_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.application import Table

_FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "fake-offline-id", "AWS_SECRET_ACCESS_KEY": "fake-offline-secret"}
# With the embedded AWS, nothing of the person's own account may reach a handler.
_NO_OWN_ACCOUNT: Mapping[str, str | None] = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_PROFILE": None,
    "AWS_SESSION_TOKEN": None,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def start_aws(environment: Mapping[str, str], tables: Iterable[Table]) -> Service:
    """Give AWS, with the tables made where they are missing.

    The history's table has the name that ``HISTORY_TABLE`` gives, when it is set.

    Raises
    ------
    StartError
        If DynamoDB does not answer or refuses.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    embedded = not endpoint
    variables: dict[str, str | None] = {}
    if embedded:
        endpoint = _start_moto()
        variables = {"AWS_ENDPOINT_URL": endpoint, **_FAKE_CREDENTIALS, **_NO_OWN_ACCOUNT}
    elif not _has_credentials():
        variables = {**_FAKE_CREDENTIALS}
    region = _region(environment, embedded=embedded)
    variables |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    names = _create_tables(endpoint, region, variables, {environment.get("HISTORY_TABLE") or t.name: t for t in tables})
    where = f"embedded, moto at {endpoint}" if embedded else "the one that AWS_ENDPOINT_URL names"
    return Service("AWS", f"{where}; table {', '.join(names)}", embedded, variables)


def _start_moto() -> str:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def _has_credentials() -> bool:
    """Tell whether boto3 finds credentials on this machine; the wait for those of an EC2 instance is left out."""
    import boto3

    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    return boto3.Session().get_credentials() is not None


def _region(environment: Mapping[str, str], *, embedded: bool) -> str:
    named = named_by(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
    if named:
        return environment[named]
    import boto3

    return (None if embedded else boto3.Session().region_name) or "us-east-1"


def _create_tables(
    endpoint: str, region: str, credentials: Mapping[str, str | None], tables: Mapping[str, Table]
) -> list[str]:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=credentials.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=credentials.get("AWS_SECRET_ACCESS_KEY"),
        config=Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2}),
    )
    try:
        for name, table in tables.items():
            _create_table(client, name, table)
    except (BotoCoreError, ClientError) as error:
        message = f"The history's table cannot be made or found at {endpoint}: {error}"
        raise StartError(message) from error
    return list(tables)


def _create_table(client: Any, name: str, table: Table) -> None:
    try:
        client.describe_table(TableName=name)
    except client.exceptions.ResourceNotFoundException:
        client.create_table(TableName=name, **table.definition)
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        if table.ttl_attribute:
            ttl = {"AttributeName": table.ttl_attribute, "Enabled": True}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
