"""The API: who may call, and what it answers by itself, in OpenAI's envelope."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from chat_core import errors
from chat_core.api.cors import EXPOSED
from chat_core.api.errors import error_response
from history import handler
from tests.infra import stack
from tests.integration.app import Context
from tests.openai_schema import assert_valid

API = stack.only("AWS::Serverless::Api")["Properties"]
# Of openai-node 6 in a browser; Accept needs no leave.
SENT_BY_OPENAIS_SDK = (
    "Authorization",
    "Content-Type",
    "Cache-Control",
    "Idempotency-Key",
    "User-Agent",
    "OpenAI-Beta",
    "OpenAI-Organization",
    "OpenAI-Project",
    "X-Stainless-Arch",
    "X-Stainless-Custom-Poll-Interval",
    "X-Stainless-Helper-Method",
    "X-Stainless-Lang",
    "X-Stainless-OS",
    "X-Stainless-Package-Version",
    "X-Stainless-Poll-Helper",
    "X-Stainless-Retry-Count",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Timeout",
)
OPEN = {"UndefinedRoute", "GetHealth"}
"""Events behind no authorizer."""
# A first deployment that fails leaves nothing behind; what has once been there is kept.
KEPT = ("RetainExceptOnCreate", "Retain")


# API


def test_every_route_asks_for_a_user() -> None:
    auth = API["Auth"]
    authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]
    assert authorizer == {
        "FunctionArn": {"Ref": "AuthorizerFunction.Alias"},
        "FunctionPayloadType": "REQUEST",
        # What is remembered of a credential holds for whatever else the request says.
        "Identity": {"Headers": ["Authorization"], "ReauthorizeEvery": 300},
    }
    for properties in stack.functions().values():
        for name, event in properties.get("Events", {}).items():
            if event["Type"] == "Api" and name not in OPEN:
                assert set(event["Properties"]) - {"ResponseTransferMode"} == {"RestApiId", "Method", "Path"}


def test_undefined_routes_are_answered_without_a_user_by_the_function_without_the_models_key() -> None:
    event = stack.functions()["HistoryFunction"]["Events"]["UndefinedRoute"]["Properties"]
    assert (event["Method"], event["Path"], event["Auth"]) == ("ANY", "/{proxy+}", {"Authorizer": "NONE"})


def test_health_is_told_to_anyone_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    event = stack.functions()["HistoryFunction"]["Events"]["GetHealth"]["Properties"]
    assert (event["Method"], event["Path"], event["Auth"]) == ("GET", "/health", {"Authorizer": "NONE"})
    monkeypatch.delenv("HISTORY_TABLE", raising=False)
    monkeypatch.setattr(handler, "make_history", lambda _: pytest.fail("It makes the function's parts."))
    answer = handler.lambda_handler(stack.load_event("health"), Context())
    assert answer["statusCode"] == 200
    project = tomllib.loads((stack.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert json.loads(answer["body"]) == {"version": project["version"]}


@pytest.mark.parametrize("claimed", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
def test_an_undefined_route_is_404_and_echoes_no_header(method: str, claimed: bool) -> None:
    event = stack.load_event("undefined_route")
    event["httpMethod"] = method
    event["headers"] = dict.fromkeys(event["headers"], "canary")
    event["multiValueHeaders"] = {key: ["canary"] for key in event["headers"]}
    if claimed:
        event["requestContext"]["authorizer"] = stack.load_event("conversation_get")["requestContext"]["authorizer"]
    answer = handler.lambda_handler(event, Context())
    assert answer["statusCode"] == 404
    body = json.loads(answer["body"])
    assert_valid(body, "ErrorResponse")
    assert body["error"]["code"] == "not_found"
    assert "canary" not in str(answer)


def test_only_the_owner_makes_users() -> None:
    pool = stack.only("AWS::Cognito::UserPool")
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (pool["DeletionPolicy"], pool["UpdateReplacePolicy"]) == KEPT
    flows = stack.only("AWS::Cognito::UserPoolClient")["Properties"]["ExplicitAuthFlows"]
    assert "ALLOW_USER_PASSWORD_AUTH" not in flows


@pytest.mark.parametrize("name", sorted(API["GatewayResponses"]))
def test_gateway_response_is_in_openais_envelope(name: str) -> None:
    response = API["GatewayResponses"][name]
    [(content_type, text)] = response["ResponseTemplates"].items()
    assert content_type == "application/json"
    assert "$" not in text  # a variable may quote the caller's token
    assert_valid(json.loads(text), "ErrorResponse")


@pytest.mark.parametrize("name", sorted(API["GatewayResponses"]))
@pytest.mark.parametrize("origin", ["", "*", "https://app.example.com"])
def test_pages_of_the_allowed_origin_can_read_a_gateway_response(name: str, origin: str) -> None:
    headers = stack.resolver(AllowedOrigin=origin).resolve(API["GatewayResponses"][name])["ResponseParameters"][
        "Headers"
    ]
    assert headers.get("Access-Control-Allow-Origin") == (f"'{origin}'" if origin else None)
    assert headers["Access-Control-Expose-Headers"] == f"'{','.join(EXPOSED)}'"


def test_browsers_may_ask_first_and_without_a_token() -> None:
    assert API["Auth"]["AddDefaultAuthorizerToCorsPreflight"] is False
    assert "AllowOrigin" not in stack.resolver().resolve(API["Cors"])
    cors = stack.resolver(AllowedOrigin="https://app.example.com").resolve(API["Cors"])
    assert cors["AllowOrigin"] == "'https://app.example.com'"
    methods = {
        event["Properties"]["Method"]
        for one in stack.functions().values()
        for event in one.get("Events", {}).values()
        if event["Type"] == "Api"
    }
    assert methods - {"ANY"} <= set(cors["AllowMethods"].strip("'").split(","))
    allowed = cors["AllowHeaders"].strip("'").lower().split(",")
    assert {"authorization", "x-omoide-user", *(sent.lower() for sent in SENT_BY_OPENAIS_SDK)} <= set(allowed)


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("", True),
        ("*", True),
        ("https://app.example.com", True),
        ("http://localhost:5173", True),
        ("https://app.example.com/", False),
        ("app.example.com", False),
        ("https://a,https://b", False),
        ("https://a'b", False),
        ("https://*.example.com", False),
        ("https://a.example https://b.example", False),
        ("'", False),
    ],
)
def test_the_parameter_takes_one_origin(origin: str, taken: bool) -> None:
    pattern = stack.template()["Parameters"]["AllowedOrigin"]["AllowedPattern"]
    assert (re.fullmatch(pattern, origin) is not None) is taken


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", errors.NotFound("")),
        ("INVALID_SIGNATURE", errors.NotFound("")),
        ("UNAUTHORIZED", errors.NotAuthenticated("")),
        ("EXPIRED_TOKEN", errors.NotAuthenticated("")),
        ("REQUEST_TOO_LARGE", errors.RequestTooLarge("")),
        ("INTEGRATION_TIMEOUT", errors.DeadlineExceeded("")),
        ("INTEGRATION_FAILURE", errors.DeadlineExceeded("")),
    ],
)
def test_gateway_answers_as_the_functions_do(name: str, error: errors.ChatError) -> None:
    ours = error_response(error)
    theirs = API["GatewayResponses"][name]
    assert theirs["StatusCode"] == ours.status_code
    texts = (str(ours.body), theirs["ResponseTemplates"]["application/json"])
    ours_body, theirs_body = (json.loads(text)["error"] for text in texts)
    assert {**theirs_body, "message": ""} == ours_body
    headers = theirs.get("ResponseParameters", {}).get("Headers", {})
    assert headers.get("x-should-retry") == (
        f"'{ours.headers['x-should-retry']}'" if "x-should-retry" in ours.headers else None
    )


def test_only_the_defaults_leave_the_status_to_the_gateway() -> None:
    without = {name for name, response in API["GatewayResponses"].items() if "StatusCode" not in response}
    assert without == {"DEFAULT_4XX", "DEFAULT_5XX"}


def test_an_authorizer_that_fails_either_way_is_503_which_the_sdk_tries_again() -> None:
    answers = [API["GatewayResponses"][f"AUTHORIZER_{kind}"] for kind in ("FAILURE", "CONFIGURATION_ERROR")]
    assert answers[0] == answers[1]
    assert answers[0]["StatusCode"] == 503
    assert "x-should-retry" not in answers[0]["ResponseParameters"]["Headers"]
