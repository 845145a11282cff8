from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest

from local.embedded_aws import EmbeddedAws
from local.momento import EmbeddedMomento
from local.services import start_momento
from tests.dev_server import RunningServer, running_server, start_command
from tests.integration.fake_application import write_application
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PATIENCE = 60.0
METRICS_LINE = '{"_aws": {}, "service": "fake", "Requests": [1]}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake application's folder, where its functions also find their files."""
    folder = tmp_path_factory.mktemp("world")
    write_application(folder)
    return folder


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, str]]:
    """Services that the test runs itself, as the environment names them."""
    with EmbeddedAws() as aws, EmbeddedMomento() as momento:
        yield {
            "AWS_ENDPOINT_URL": aws.url,
            "MOMENTO_LOCAL": f"127.0.0.1:{momento.port}",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        }


@contextmanager
def serving(world: Path, env: Mapping[str, str], *args: str) -> Iterator[RunningServer]:
    arguments = ["--template", str(world / "template.yaml"), *args]
    with running_server({**env, "FAKE_WORLD": str(world)}, arguments) as server:
        yield server


@pytest.fixture(scope="module")
def embedded(world: Path) -> Iterator[RunningServer]:
    """A server that the environment gives nothing."""
    with serving(world, {}) as server:
        yield server


def connect(server: RunningServer) -> Any:
    return closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE))


def ask(
    server: RunningServer,
    path: str,
    body: bytes = b"{}",
    headers: Mapping[str, str] = JSON,
    method: str = "POST",
) -> tuple[int, http.client.HTTPMessage, Any]:
    with connect(server) as connection:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())


def tell(server: RunningServer) -> dict[str, Any]:
    status, _, told = ask(server, "/v1/do/tell")
    assert status == 200, told
    result: dict[str, Any] = told
    return result


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


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
        assert METRICS_LINE in server.output()
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
    with socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET) as other:
        assert other.connect_ex(("::1", port)) != 0
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port)) != 0


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
    from local.cloudformation import load_template
    from tests.dev_server import ROOT

    responses = load_template(ROOT / "template.yaml")["Resources"]["ChatApi"]["Properties"]["GatewayResponses"]
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


# ---- processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_all_processes(
    world: Path, services: Mapping[str, str], number: signal.Signals
) -> None:
    with serving(world, services) as server, ThreadPoolExecutor(1) as callers:
        idle = tell(server)["pid"]
        assert os.getpgid(idle) == os.getpgid(server.process.pid)
        (world / "sleeps").unlink(missing_ok=True)
        busy = callers.submit(ask, server, "/v1/do/sleep")
        until((world / "sleeps").exists)
        os.killpg(server.process.pid, number)
        assert server.process.wait(PATIENCE) == 0
        assert not remaining(server.process.pid)
        busy.exception(PATIENCE)  # answered or cut off, but not left waiting
    assert "Traceback" not in server.output().partition("Omoide is ready")[2]


def test_no_environment_outlives_a_server_that_was_killed(world: Path, services: Mapping[str, str]) -> None:
    with serving(world, services) as server, ThreadPoolExecutor(1) as callers:
        tell(server)
        (world / "sleeps").unlink(missing_ok=True)
        busy = callers.submit(ask, server, "/v1/do/sleep")
        until((world / "sleeps").exists)
        server.stop(signal.SIGKILL)
        until(lambda: not remaining(server.process.pid))
        busy.exception(PATIENCE)  # answered or cut off, but not left waiting


def remaining(group: int) -> list[int]:
    """Return the processes of a group that have not ended; an orphan that nobody collects has."""
    command = ["ps", "-A", "-o", "pid=,pgid=,stat="]
    table = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - it is fixed
    rows = [line.split() for line in table.stdout.splitlines()]
    return [int(pid) for pid, its_group, state in rows if int(its_group) == group and not state.startswith("Z")]


def test_an_early_ctrl_c_ends_the_start(world: Path) -> None:
    process = start_command(["--port", "0", "--template", str(world / "template.yaml")])
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert "Traceback" not in first + process.stdout.read()
    assert not remaining(process.pid)


# ---- what keeps it from starting


def refusal(*args: str, env: Mapping[str, str] | None = None, code: int = 1) -> str:
    with start_command(args, env) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "Traceback" not in output
    return output


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as above:
        port = taken.getsockname()[1]
        with suppress(OSError):
            above.bind(("127.0.0.1", port + 1))  # as the embedded Momento of another server
            above.listen()
        told = refusal("--port", str(port))
        assert told.startswith(f"Port {port} is in use. ")
        assert told.count("\n") == 1
        suggested = int(told.rpartition("PORT=")[2])
        assert suggested > port + 1
        for free in (suggested, suggested + 1):
            socket.create_server(("127.0.0.1", free)).close()


def test_a_port_that_is_none_is_told_in_a_line() -> None:
    for wrong in ("abc", "70000", "-1", ""):
        told = refusal(f"--port={wrong}", code=2)
        assert told == f"Argument --port: a port is a number from 0 to 65535, not '{wrong}'\n"


def test_an_embedded_momento_that_does_not_get_its_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"(port {port} is in use)" in start_momento({}, port=port).description


def test_services_that_do_not_answer_are_told_in_a_sentence(world: Path, services: Mapping[str, str]) -> None:
    template = ("--port", "0", "--template", str(world / "template.yaml"))
    nobody = "127.0.0.1:9"
    assert f"The Momento at {nobody} did not create" in refusal(*template, env={**services, "MOMENTO_LOCAL": nobody})
    assert "MOMENTO_LOCAL must be host:port" in refusal(*template, env={**services, "MOMENTO_LOCAL": "nonsense"})
    assert "profile (nobody) could not be found" in refusal(*template, env={**services, "AWS_PROFILE": "nobody"})
    told = refusal(*template, env={**services, "AWS_ENDPOINT_URL": f"http://{nobody}"})
    assert f"The history's table cannot be made or found at http://{nobody}" in told


def test_a_template_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert "no-such.yaml cannot be read" in refusal("--port", "0", "--template", str(tmp_path / "no-such.yaml"))
