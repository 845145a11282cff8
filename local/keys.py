"""API keys for who tries the authorizer on this machine: one of each kind, told once, gone with the embedded table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.events import LOCAL_USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authorizer.caller import Kind

APP = "app"


def first_keys(aws: Mapping[str, str | None], table: str) -> Iterator[tuple[str, str]]:
    """Make a key for the local user, and one for an app, and yield what each is for, and the key.

    Parameters
    ----------
    aws
        Variables by which the embedded AWS is reached.
    table
        Of the history.
    """
    from boto3.session import Session

    from authorizer.api_keys import ApiKey, digest_of, new_key, row_of

    session = Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_DEFAULT_REGION"])
    client = session.client("dynamodb", endpoint_url=aws["AWS_ENDPOINT_URL"])
    kinds: dict[Kind, tuple[str, str]] = {
        "user": (LOCAL_USER, f"the user {LOCAL_USER}"),
        "app": (APP, "an app, which names its users by X-Omoide-User"),
    }
    for kind, (tenant, purpose) in kinds.items():
        key = new_key()
        stored = ApiKey(digest_of(key), tenant, kind, "make run", key[-4:], int(time.time()))
        client.put_item(TableName=table, Item=row_of(stored))
        yield purpose, key
