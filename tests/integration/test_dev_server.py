"""The dev server over HTTP, as a client and its handlers see it."""

from __future__ import annotations

import http.client
import json
import re
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest

from tests.integration.fake_application import write_application
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.dev_server import RunningServer
from tests.integration.serving import JSON, PATIENCE, ask, connect, serving, tell, until

METRICS_LINE = '{"_aws": {}, "service": "fake", "Requests": [1]}'


@pytest.fixture(scope="module")
def embedded(world: Path) -> Iterator[RunningServer]:
    """A server that the environment gives nothing."""
    with serving(world, {}) as server:
        yield server


def refused(answer: tuple[int, http.client.HTTPMessage, Any]) -> int:
    status, headers, body = answer
    assert_valid(body, "ErrorResponse") if "error" in body else pytest.fail(str(body))
    assert headers["x-amzn-RequestId"]
    return status


# ---- what the handlers see


def test_a_request_reaches_the_handler_as_a_proxy_event(embedded: RunningServer) -> None:
    status, headers, told = ask(embedded, "/v1/do/a%20b?x=1&x=2", "渡辺".encode(), {**JSON, "X-Local-User": "naomi"})
    assert status == 200
    assert headers.get_all("X-Twice") == ["a", "b"]
    event = told["event"]
    assert (event["path"], event["pathParameters"]) == ("/v1/do/a%20b", {"what": "a%20b"})
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (event["body"], event["isBase64Encoded"]) == ("渡辺", False)
    assert event["requestContext"]["authorizer"]["claims"]["sub"] == "naomi"
    assert "x-local-user" not in {name.lower() for name in event["headers"]}
    assert event["requestContext"]["requestId"] == headers["x-amzn-RequestId"]
    assert told["environment"]["_X_AMZN_TRACE_ID"] == event["headers"]["X-Amzn-Trace-Id"]


def test_the_environment_names_nothing_so_every_service_is_embedded(embedded: RunningServer) -> None:
    environment = tell(embedded)["environment"]
    assert environment["MOMENTO_LOCAL"].startswith("127.0.0.1:")
    assert environment["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert environment["OPENAI_API_KEY"] == "sk-fake-offline-stand-in"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "fake" in environment["AWS_SECRET_ACCESS_KEY"]
    client = boto3.client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    with closing(client):
        table = client.describe_table(TableName=environment["TABLE_NAME"])["Table"]
        ttl = client.describe_time_to_live(TableName="FakeTable")["TimeToLiveDescription"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert ttl["AttributeName"] == "expires_at"
    assert embedded.output().count("embedded, ") == 3
    assert "What the embedded ones hold ends with this server." in embedded.output()


def test_what_the_environment_names_is_used_and_reaches_the_handlers_as_it_is(
    world: Path, services: Mapping[str, str]
) -> None:
    own = {
        **services,
        "OPENAI_API_KEY": "sk-fake-of-the-person",
        "AWS_ACCESS_KEY_ID": "fake-own-id",
        "AWS_SECRET_ACCESS_KEY": "fake-own-secret",
        "AWS_REGION": "eu-central-1",
        "HISTORY_TABLE": "own-table",
        "FROM_TEMPLATE": "person",
        "LOG": "json",
    }
    with serving(world, own) as server:
        environment = tell(server)["environment"]
        ask(server, "/v1/do/log")
        until(lambda: METRICS_LINE in server.output())
        assert "Model    the one that OPENAI_BASE_URL names, 127.0.0.1:9: it cannot be reached" in server.output()
        assert {name: environment[name] for name in own} == own
        assert environment["AWS_DEFAULT_REGION"] == "eu-central-1"
        assert "embedded" not in server.output()
        assert "sk-fake" not in server.output()
    client = boto3.client(
        "dynamodb",
        endpoint_url=own["AWS_ENDPOINT_URL"],
        region_name="eu-central-1",
        aws_access_key_id="fake-own-id",
        aws_secret_access_key="fake-own-secret",
    )
    with closing(client):
        assert client.list_tables()["TableNames"] == ["own-table"]


def test_the_persons_own_account_stays_out_of_the_embedded_aws(world: Path, services: Mapping[str, str]) -> None:
    own = {
        "AWS_PROFILE": "own",
        "AWS_ACCESS_KEY_ID": "own-id",
        "AWS_SESSION_TOKEN": "own-token",
        "AWS_REGION": "ap-northeast-1",
    }
    with serving(world, {**services, "AWS_ENDPOINT_URL": "", **own}) as server:
        environment = tell(server)["environment"]
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "ap-northeast-1"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "fake" in environment["AWS_ACCESS_KEY_ID"]
    assert "AWS_SESSION_TOKEN" not in environment
    assert "AWS_PROFILE" not in environment


def test_a_service_without_a_key_of_its_own_gets_a_fake_one(world: Path, services: Mapping[str, str]) -> None:
    nowhere = {"HOME": str(world), "AWS_REGION": "us-west-2"}
    with serving(world, {**services, **nowhere}) as server:
        environment = tell(server)["environment"]
    assert environment["OPENAI_API_KEY"] == "sk-fake-offline-stand-in"
    assert environment["AWS_ACCESS_KEY_ID"] == "fake-offline-id"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-west-2"


def test_the_console_shows_a_line_for_each_request_and_no_json(embedded: RunningServer) -> None:
    ask(embedded, "/v1/do/log")
    until(lambda: re.search(r"^POST /v1/do/log 200 \d+ ms$", embedded.output(), re.MULTILINE) is not None)
    assert "handles log" in embedded.output()
    assert METRICS_LINE not in embedded.output()


# ---- HTTP


def test_a_connection_is_kept_for_further_requests(embedded: RunningServer) -> None:
    with connect(embedded) as connection:
        for _ in range(2):
            connection.request("GET", "/v1/do/tell")
            answer = connection.getresponse()
            assert answer.status == 200
            assert not answer.will_close
            answer.read()


def test_a_chunked_body_comes_whole(embedded: RunningServer) -> None:
    with connect(embedded) as connection:
        connection.request("POST", "/v1/do/tell", iter([b"ab", b"c" * 70_000]), JSON, encode_chunked=True)
        assert json.loads(connection.getresponse().read())["event"]["body"] == "ab" + "c" * 70_000


def test_the_server_listens_on_this_machine_alone(embedded: RunningServer) -> None:
    port = urlsplit(embedded.url).port
    for address in ("::1", "127.0.0.2"):
        with pytest.raises(OSError, match=r"."):  # refused, or a machine without IPv6
            socket.create_connection((address, port), PATIENCE).close()


# ---- only this machine


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**JSON, "Host": "evil.example"}, 403),
        ({**JSON, "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_a_page_from_elsewhere_is_refused_before_its_body_is_read(
    embedded: RunningServer, headers: Mapping[str, str], status: int
) -> None:
    for path in ("/v1/do/tell", "/v1/nothing"):
        with connect(embedded) as connection:
            connection.putrequest("POST", path, skip_host="Host" in headers)
            for name, value in {**headers, "Content-Length": "1000000"}.items():
                connection.putheader(name, value)
            connection.endheaders(b"{")  # the rest never comes
            answer = connection.getresponse()
            assert answer.status == status
            assert_valid(json.loads(answer.read()), "ErrorResponse")
            assert answer.will_close


def test_a_page_of_the_servers_own_and_an_allowed_one_pass(world: Path, services: Mapping[str, str]) -> None:
    with serving(world, {**services, "ALLOWED_ORIGINS": "http://localhost:5173"}) as server:
        own = server.url.removesuffix("/v1")
        for origin in (own, own.replace("127.0.0.1", "localhost"), "http://localhost:5173"):
            assert ask(server, "/v1/do/tell", headers={**JSON, "Origin": origin})[0] == 200
        assert ask(server, "/v1/do/tell", headers={**JSON, "Origin": "http://localhost:1"})[0] == 403


# ---- what API Gateway and Lambda answer by themselves, with the project's own template


@pytest.fixture(scope="module")
def project(world: Path, services: Mapping[str, str]) -> Iterator[RunningServer]:
    """A server of the fake functions with the project's own gateway responses."""
    folder = world / "project"
    template = write_application(folder)
    from local.cloudformation import Resolver, load_template
    from tests.dev_server import ROOT

    own = load_template(ROOT / "template.yaml")
    responses = Resolver(own).resolve(own["Resources"]["ChatApi"]["Properties"]["GatewayResponses"])
    api = {"FakeApi": {"Type": "AWS::Serverless::Api", "Properties": {"GatewayResponses": responses}}}
    template.write_text(template.read_text("utf-8").replace("Resources:", f"Resources:\n  {json.dumps(api)[1:-1]}"))
    with serving(folder, services) as server:
        yield server


def test_an_undefined_route_or_method_is_404(project: RunningServer) -> None:
    for method, path in [("POST", "/v1/nothing"), ("DELETE", "/v1/do/tell"), ("BREW", "/v1/do/tell"), ("POST", "/")]:
        answer = ask(project, path, method=method)
        assert refused(answer) == 404
        assert answer[2]["error"]["code"] == "not_found"


@pytest.mark.parametrize("size", [6_500_000, 40_000_000])
def test_a_request_that_is_too_large_is_413(project: RunningServer, size: int) -> None:
    assert refused(ask(project, "/v1/do/tell", b"x" * size)) == 413


@pytest.mark.parametrize(
    "path",
    ["/v1/do/raise", "/v1/do/exit", "/v1/do/large", "/v1/short/sleep", "/v1/broken/tell", "/v1/stream/raise"],
)
def test_a_function_that_fails_is_502(project: RunningServer, path: str) -> None:
    assert refused(ask(project, path)) == 502
    assert tell(project)["pid"]


def test_a_handler_that_cannot_be_imported_is_told_at_the_start(project: RunningServer) -> None:
    told, _, _ = project.output().partition("Omoide is ready")
    assert "No module named 'no_such_module_anywhere'" in told
    assert "BrokenFunction: the handler fake.broken.lambda_handler cannot be imported" in told


@pytest.mark.parametrize(
    "request_text",
    [
        "nonsense\r\n\r\n",
        "POST /v1/do/tell HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/do/tell HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
        "POST /v1/do/tell HTTP/1.1\r\nHost: {host}\r\nContent-Length: many\r\n\r\n",
        "POST /v1/do/tell HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /v1/do/tell HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST /v1/do/tell HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_what_is_not_http_is_400(project: RunningServer, request_text: str) -> None:
    host = urlsplit(project.url).netloc
    with socket.create_connection(("127.0.0.1", urlsplit(project.url).port or 0), PATIENCE) as client:
        client.sendall(request_text.replace("{host}", host).encode())
        with http.client.HTTPResponse(client) as answer:
            answer.begin()
            assert refused((answer.status, answer.headers, json.loads(answer.read()))) == 400
