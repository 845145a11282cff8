from __future__ import annotations

import time
from typing import Any

import pytest

from authorizer.key_table import KeyTable
from tests.unit.authorizer.conftest import TABLE
from tools.api_key import DAY, Keys, NoKey, line, parser, run


@pytest.fixture
def keys(table: Any) -> Keys:
    return Keys(table, TABLE)


def test_a_key_that_is_made_is_found_and_shown_once(keys: Keys, capsys: pytest.CaptureFixture[str]) -> None:
    run(keys, parser().parse_args(["prod", "make", "acme", "--kind", "app", "--name", "web", "--days", "30"]))
    shown = capsys.readouterr().out
    key = shown.removeprefix("export OPENAI_API_KEY=").strip()
    found = KeyTable(TABLE).find(key)
    assert found is not None
    assert (found.tenant, found.kind, found.name) == ("acme", "app", "web")
    assert found.expires_at == pytest.approx(time.time() + 30 * DAY, abs=10)
    run(keys, parser().parse_args(["prod", "list"]))
    listed = capsys.readouterr().out
    assert key not in listed
    assert listed.startswith(found.digest[:12])


def test_a_revoked_key_is_gone_and_the_others_stay(keys: Keys) -> None:
    first, second = (keys.make(name, kind="user", name="", days=None) for name in ("acme", "beta"))
    found = KeyTable(TABLE).find(first)
    assert found is not None
    assert keys.revoke(found.digest[:12]).tenant == "acme"
    assert KeyTable(TABLE).find(first) is None
    assert KeyTable(TABLE).find(second) is not None


@pytest.mark.parametrize("beginning", ["", "zz"])
def test_only_one_key_is_revoked(keys: Keys, beginning: str) -> None:
    keys.make("acme", kind="user", name="", days=None)
    with pytest.raises(NoKey, match="0 keys"):
        keys.revoke(beginning)


@pytest.mark.parametrize("tenant", ["", "a/b", "a|b", " a", "x" * 65, "日本"])
def test_a_tenant_cannot_look_like_another_kind_of_user(keys: Keys, tenant: str) -> None:
    with pytest.raises(NoKey):
        keys.make(tenant, kind="user", name="", days=None)


def test_the_list_leaves_conversations_alone(keys: Keys, table: Any) -> None:
    table.put_item(TableName=TABLE, Item={"pk": {"S": "naomi/chat"}, "sk": {"S": "key"}})
    assert list(keys.all()) == []


def test_a_key_without_an_end_says_so(keys: Keys) -> None:
    keys.make("acme", kind="user", name="", days=None)
    (one,) = keys.all()
    assert line(one).endswith("user  acme  -  does not expire")
