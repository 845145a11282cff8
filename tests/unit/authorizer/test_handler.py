from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest

from authorizer import handler
from authorizer.api_keys import ApiKey, digest_of, is_api_key, new_key, read_row, row_of
from authorizer.issuers import Issuers
from authorizer.key_table import KeyTable
from tests.unit.authorizer.conftest import TABLE

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/POST/v1/responses"
REFUSED = re.compile(rf"^{handler.REFUSED}$")


def key_of(key: str, **changes: Any) -> ApiKey:
    return replace(ApiKey(digest_of(key), "acme", "user", "laptop", key[-4:], int(time.time())), **changes)


@pytest.fixture(autouse=True)
def _parts(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = handler.Parts(KeyTable(TABLE, table), Issuers(()))
    monkeypatch.setattr(handler, "parts", lambda: parts)


def asked(*authorization: str, name: str = "Authorization") -> dict[str, Any]:
    headers = {name: list(authorization)} if authorization else {}
    return handler.lambda_handler({"methodArn": ARN, "multiValueHeaders": headers}, None)


def stored(client: Any, **changes: Any) -> str:
    key = new_key()
    client.put_item(TableName=TABLE, Item=row_of(key_of(key, **changes)))
    return key


def test_a_key_speaks_for_its_tenant_on_the_whole_stage(table: Any) -> None:
    answer = asked(f"Bearer {stored(table)}")
    assert answer["context"] == {"kind": "user", "tenant": "acme"}
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/*"
    assert statement["Effect"] == "Allow"


def test_an_app_is_told_to_be_one(table: Any) -> None:
    assert asked(f"bearer {stored(table, kind='app')}", name="authorization")["context"]["kind"] == "app"


def test_the_key_itself_is_nowhere_in_its_row(table: Any) -> None:
    key = stored(table)
    rows = table.scan(TableName=TABLE)["Items"]
    assert key.removeprefix("omoide_") not in str(rows)
    assert read_row(rows[0]).digest == digest_of(key)


def test_a_revoked_key_names_nobody(table: Any) -> None:
    key = stored(table)
    row = row_of(key_of(key))
    table.delete_item(TableName=TABLE, Key={"pk": row["pk"], "sk": row["sk"]})
    with pytest.raises(Exception, match=REFUSED):
        asked(f"Bearer {key}")


def test_a_key_expires_before_the_table_removes_it(table: Any) -> None:
    key = stored(table, expires_at=int(time.time()) - 1)
    with pytest.raises(Exception, match=REFUSED):
        asked(f"Bearer {key}")
    assert asked(f"Bearer {stored(table, expires_at=int(time.time()) + 60)}")["principalId"] == "acme"


@pytest.mark.parametrize(
    "authorization",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer  ",),
        ("Basic eDp5",),
        ("omoide_x",),
        ("Bearer a.b.c",),
        ("Bearer {key}", "Bearer x"),
    ],
)
def test_what_names_nobody_is_refused_in_one_way(table: Any, authorization: tuple[str, ...]) -> None:
    key = stored(table)
    with pytest.raises(Exception, match=REFUSED):
        asked(*(value.format(key=key) for value in authorization))


def test_a_key_that_was_never_made_is_refused() -> None:
    with pytest.raises(Exception, match=REFUSED):
        asked(f"Bearer {new_key()}")


def test_a_table_that_fails_is_no_refusal(table: Any) -> None:
    table.delete_table(TableName=TABLE)
    with pytest.raises(Exception, match="ResourceNotFound"):
        asked(f"Bearer {new_key()}")


def test_keys_are_drawn_and_known_by_their_form() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(map(is_api_key, keys))
    assert not is_api_key("sk-" + "a" * 43)
