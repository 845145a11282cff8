"""The authorizer in the template: what it may read, and whose tokens it takes."""

from __future__ import annotations

import re

import pytest

from authorizer.issuers import parse_issuers
from tests.infra import stack

AUTHORIZER = "AuthorizerFunction"


def test_the_authorizer_reads_rows_and_nothing_else() -> None:
    [statement] = stack.statements(AUTHORIZER)
    assert statement["Action"] == "dynamodb:GetItem"
    assert statement["Resource"] == {"Fn::GetAtt": "HistoryTable.Arn"}
    named = stack.declared_environment(AUTHORIZER)
    assert not any(isinstance(value, dict) and value.get("Ref", "").endswith("Secret") for value in named.values())


def test_the_authorizer_takes_the_pools_tokens_and_those_of_the_parameter() -> None:
    others = "https://login.example.com/t|app, https://id.example.com|api|https://id.example.com/keys"
    pool, login, other = parse_issuers(stack.environment(AUTHORIZER, JwtIssuers=others)["ISSUERS"])
    assert (pool.url, pool.audience) == ("https://cognito-idp.us-east-1.amazonaws.com/UserPool", "UserPoolClient")
    assert pool.keys == f"{pool.url}/.well-known/jwks.json"
    assert (pool.name, login.name, other.name) == ("", "login.example.com:t", "id.example.com")
    assert len(parse_issuers(stack.environment(AUTHORIZER)["ISSUERS"])) == 1


@pytest.mark.parametrize(
    ("issuers", "taken"),
    [
        ("", True),
        ("https://a.example/|b", True),
        ("https://a.example|b,https://c.example|d|https://c.example/k", True),
        ("https://a.example|b, https://c.example|d", True),
        ("http://a.example|b", False),
        ("https://a.example", False),
        ("https://a.example|", False),
        ("https://a.example|b|http://c", False),
        ("a|b", False),
    ],
)
def test_what_the_parameter_takes_is_what_the_authorizer_reads(issuers: str, taken: bool) -> None:
    pattern = stack.template()["Parameters"]["JwtIssuers"]["AllowedPattern"]
    assert (re.fullmatch(pattern, issuers) is not None) is taken
    if taken:
        parse_issuers(stack.environment(AUTHORIZER, JwtIssuers=issuers)["ISSUERS"])
