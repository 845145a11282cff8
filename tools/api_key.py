"""API keys of a deployed stack: ``python -m tools.api_key STAGE (make TENANT | list | revoke DIGEST) [OPTION…]``.

Run in SAM's environment, which has boto3. A key is shown when it is made and never again: the table has its SHA-256
alone. Whoever revokes one waits five minutes at most: that long the gateway remembers what the authorizer said.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from authorizer.api_keys import KEY, TENANT, ApiKey, digest_of, new_key, read_row, row_of
from chat_core.keys import api_key_partition_key
from tools import deployment
from tools.environment import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAY = 86_400


class NoKey(Exception):
    """What was asked cannot be done; the message says why."""


class Keys:
    """The keys in a table.

    Parameters
    ----------
    dynamodb
        boto3's client.
    table
        Its name.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def make(self, tenant: str, *, kind: str, name: str, days: int | None) -> str:
        """Make a key and return it, for the only time.

        Raises
        ------
        NoKey
            If the tenant has not its form.
        """
        if not TENANT.fullmatch(tenant):
            raise NoKey("TENANT is 1 to 64 of A-Z a-z 0-9 . _ -, and begins with a letter or a digit.")
        key, now = new_key(), int(time.time())
        stored = ApiKey(
            digest=digest_of(key),
            tenant=tenant,
            kind="app" if kind == "app" else "user",
            name=name,
            last=key[-4:],
            created_at=now,
            expires_at=now + days * DAY if days else None,
        )
        self._dynamodb.put_item(TableName=self._table, Item=row_of(stored))
        return key

    def all(self) -> Iterator[ApiKey]:
        """List the keys, by a scan: a stack has few, and a person asks."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="sk = :key AND begins_with(pk, :family)",
            ExpressionAttributeValues={":key": {"S": KEY}, ":family": {"S": api_key_partition_key("")}},
        )
        for page in pages:
            yield from map(read_row, page["Items"])

    def revoke(self, beginning: str) -> ApiKey:
        """Remove the one key whose digest begins so.

        Raises
        ------
        NoKey
            If there is none, or more than one.
        """
        found = [key for key in self.all() if key.digest.startswith(beginning)] if beginning else []
        if len(found) != 1:
            message = f"{len(found)} keys have a digest that begins with {beginning!r}: name one, as the list shows it."
            raise NoKey(message)
        row = row_of(found[0])
        self._dynamodb.delete_item(TableName=self._table, Key={"pk": row["pk"], "sk": row["sk"]})
        return found[0]


def line(key: ApiKey) -> str:
    """Write a key for a list: the beginning of its digest, whose it is, what it is, and until when."""
    until = time.strftime("until %Y-%m-%d", time.gmtime(key.expires_at)) if key.expires_at else "does not expire"
    return f"{key.digest[:12]}  …{key.last}  {key.kind:<4}  {key.tenant}  {key.name or '-'}  {until}"


def run(keys: Keys, asked: argparse.Namespace) -> None:
    """Do what was asked, and say so."""
    if asked.command == "list":
        for key in keys.all():
            print(line(key))
    elif asked.command == "revoke":
        say(f"Revoked: {line(keys.revoke(asked.digest))}. The gateway may remember it for five minutes.")
    else:
        made = keys.make(asked.tenant, kind=asked.kind, name=asked.name, days=asked.days)
        say(f"A key of kind {asked.kind} for {asked.tenant}; it is shown here and never again.")
        print(f"export OPENAI_API_KEY={shlex.quote(made)}")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.api_key", description="API keys of a deployed stack.")
    parser.add_argument("stage", help="of samconfig.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make a key and show it once")
    make.add_argument("tenant", help="the user, or the app, that it speaks for")
    make.add_argument("--kind", choices=["user", "app"], default="user", help="an app names its users by X-Omoide-User")
    make.add_argument("--name", default="", help="what you call it")
    make.add_argument("--days", type=int, help="after which it expires")
    commands.add_parser("list", help="list the keys")
    revoke = commands.add_parser("revoke", help="revoke a key")
    revoke.add_argument("digest", help="the beginning of its digest, as the list shows it")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. ``TABLE`` in the environment names the table in place of the stack's outputs."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    asked, options = parser().parse_known_args(arguments)
    try:
        target = deployment.read(asked.stage, options)
        session = boto3.Session(region_name=target.region, profile_name=target.profile)
        table = os.environ.get("TABLE") or deployment.outputs(session, target.stack_name)["HistoryTableName"]
        run(Keys(session.client("dynamodb"), table), asked)
    except deployment.WrongOptions:
        return 2
    except (NoKey, BotoCoreError, ClientError) as failed:
        say(str(failed))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
