"""What ``sam build`` made, run as Lambda runs it: its Python, its runtime client, its folders, and nothing of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.application import read_application
from local.aws import start_aws
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from local.services import start_momento
from tests.infra import stack
from tests.openai_schema import assert_valid
from tests.smoke.environments import ExecutionEnvironment, execution_environment
from tools import build, environment, lambda_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="Lambda's packages run on Linux only"),
]

LAYER = "ChatCoreLayer"
LAYER_LIMIT = 55 * 2**20
FUNCTION_LIMIT = 2**20
NOBODY = "http://127.0.0.1:9"  # the discard port: no AWS service is asked
INVOCATION_SECONDS = 30


@dataclass(frozen=True)
class Lambda:
    """The artefacts as Lambda lays them out, and its Python with the runtime client."""

    python: Path
    artefacts: Path
    root: Path

    @property
    def layer(self) -> Path:
        return self.root / "opt"

    def task(self, function: str) -> Path:
        return self.artefacts / function

    def env(self, function: str) -> dict[str, str]:
        """Everything that a function finds in its environment: Lambda's own variables and the template's."""
        properties = stack.functions()[function]
        return {
            **stack.environment(function),
            "PYTHONPATH": f"{self.layer / 'python'}",
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_ACCESS_KEY_ID": "fake",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_SESSION_TOKEN": "fake",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": NOBODY,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{lambda_python.VERSION}",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(stack.function_globals()["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_LAMBDA_LOG_GROUP_NAME": "smoke",
            "AWS_LAMBDA_LOG_STREAM_NAME": "smoke",
            "LAMBDA_TASK_ROOT": f"{self.task(function)}",
            "_HANDLER": properties["Handler"],
        }

    def command(self, function: str) -> list[str | Path]:
        """Name what Lambda starts: its own runtime, or the function's wrapper around it."""
        own: list[str | Path] = [self.python, "-s", "-m", "awslambdaric", stack.functions()[function]["Handler"]]
        if wrapper := stack.environment(function).get("AWS_LAMBDA_EXEC_WRAPPER"):
            return [self.task(function) / wrapper.removeprefix("/var/task/"), *own]
        return own

    @contextmanager
    def run(self, function: str, **services: str) -> Iterator[ExecutionEnvironment]:
        """Start an execution environment of a function, with the variables that name services."""
        command = self.command(function)
        with (self.root / f"{function}.log").open("w+", encoding="utf-8") as output:
            try:
                with execution_environment(
                    command, task=self.task(function), env={**self.env(function), **services}, output=output
                ) as api:
                    yield api
            finally:
                output.seek(0)
                print(output.read())  # noqa: T201 - shown when a test fails


@pytest.fixture(scope="session")
def lambda_service(tmp_path_factory: pytest.TempPathFactory) -> Lambda:
    try:
        subprocess.run(["make", "--silent", ".venv-sam/.installed"], cwd=stack.ROOT, check=True)  # noqa: S607
        artefacts = build.build(build.HOST_BUILD, architecture="host")
    except lambda_python.NoInterpreter as missing:
        pytest.skip(str(missing))
    with environment.locked(build.LAMBDA_ENVIRONMENT):
        python = lambda_python.make_environment(build.LAMBDA_ENVIRONMENT)
        stamp = build.LAMBDA_ENVIRONMENT / ".runtime"
        environment.install(python, stack.ROOT / "requirements" / "lambda.txt", stamp)
    root = tmp_path_factory.mktemp("lambda")
    (root / "opt").symlink_to(artefacts / LAYER)
    return Lambda(python, artefacts, root)


def body_of(answer: Any, status: int) -> Any:
    assert answer["statusCode"] == status
    assert answer["isBase64Encoded"] is False
    assert answer["multiValueHeaders"]["Content-Type"] == ["application/json"]
    return json.loads(answer["body"])


def test_chat_function_refuses_broken_json(lambda_service: Lambda) -> None:
    with lambda_service.run("ChatFunction") as api:
        for _ in range(2):  # the environment lives on
            event = stack.load_event("chat_turn_broken_json")
            answer = api.invoke(event, timeout=INVOCATION_SECONDS)
            body = body_of(answer, 400)
            assert_valid(body, "ErrorResponse")
            assert body["error"]["code"] == "invalid_json"
            assert answer["multiValueHeaders"]["x-request-id"] == [event["requestContext"]["requestId"]]


def test_history_function_refuses_a_limit_of_zero(lambda_service: Lambda) -> None:
    with lambda_service.run("HistoryFunction") as api:
        body = body_of(api.invoke(stack.load_event("items_list_bad_limit"), timeout=INVOCATION_SECONDS), 400)
        assert_valid(body, "ErrorResponse")
        assert body["error"]["param"] == "limit"


def test_a_turn_runs_on_the_vendors_of_the_layer(lambda_service: Lambda) -> None:
    """The model, Momento and DynamoDB are reached through what the artefact ships."""
    tables = read_application(stack.ROOT / "template.yaml").tables
    with EmbeddedMomento() as momento, StandInModel() as model:
        aws = start_aws({}, tables)
        services = {
            "MOMENTO_LOCAL": f"127.0.0.1:{momento.port}",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-fake-not-a-key",
            **{name: value for name, value in aws.variables.items() if value},
        }
        start_momento(services)
        with lambda_service.run("ChatFunction", **services) as api:
            event = stack.load_event("chat_turn")
            event["body"] = json.dumps({"conversation": "artefact", "input": "私の名前は渡辺直美です。"})
            answer = body_of(api.invoke(event, timeout=INVOCATION_SECONDS), 200)
            assert_valid(answer, "Response")
            assert answer["output"][0]["content"][0]["text"].startswith("こんにちは、渡辺直美さん！")
            event = stack.load_event("chat_turn_stateless")
            event["body"] = json.dumps({"conversation": "artefact", "input": "私の名前なんだっけ？"})
            answer = body_of(api.invoke(event, timeout=INVOCATION_SECONDS), 200)
            assert answer["output"][0]["content"][0]["text"].startswith("あなたの名前は渡辺直美さんです！")
        metered = momento.meter.snapshot()
        assert metered.calls["ListConcatenateBack"] == 2


@pytest.mark.parametrize("function", sorted(stack.functions()))
def test_nothing_is_loaded_but_lambdas_python_the_layer_and_the_function(lambda_service: Lambda, function: str) -> None:
    module = stack.functions()[function]["Handler"].rpartition(".")[0]
    code = (
        f"import {module}, json, sys; base = sys.base_prefix; "
        "files = {name: module.__file__ for name, module in sys.modules.items() if getattr(module, '__file__', None)}; "
        "print(json.dumps([base, sys.path, files]))"
    )
    done = subprocess.run(  # noqa: S603
        [lambda_service.python, "-s", "-c", code],
        cwd=lambda_service.task(function),
        env=lambda_service.env(function),
        capture_output=True,
        text=True,
        check=True,
    )
    base, path, files = json.loads(done.stdout)
    task, layer = lambda_service.task(function), lambda_service.layer
    own = (f"{task}/", f"{layer}/")
    lambdas = (f"{base}/", f"{build.LAMBDA_ENVIRONMENT}/")
    assert [entry for entry in path if entry and not f"{entry}/".startswith((*own, *lambdas))] == []
    assert [file for file in files.values() if not file.startswith((*own, *lambdas))] == []
    assert files[module].startswith(own[0])
    assert files["chat_core"].startswith(own[1])
    assert {"openai", "httpx2", "moto", "numpy"}.isdisjoint(files)


# Runs under Lambda's Python, since the header and the hash are of its version (PEP 552).
BELIEVED = """
import sys, importlib.util, pathlib
for source in pathlib.Path(sys.argv[1]).rglob("*.py"):
    compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
    header = compiled.read_bytes()[:16] if compiled.exists() else b""
    unchecked = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    if header != unchecked + importlib.util.source_hash(source.read_bytes()):
        print(source)
"""


@pytest.mark.parametrize("artefact", [*sorted(stack.functions()), LAYER])
def test_bytecode_of_every_module_is_shipped_and_believed(lambda_service: Lambda, artefact: str) -> None:
    folder = lambda_service.artefacts / artefact
    command: list[str | Path] = [lambda_service.python, "-c", BELIEVED, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == ""
    compiled = list(folder.rglob("*.pyc"))
    assert compiled
    assert [path for path in compiled if os.fsencode(stack.ROOT) in path.read_bytes()] == []


def test_layer_fits_its_budget(lambda_service: Lambda) -> None:
    assert build.size(lambda_service.artefacts / LAYER) <= LAYER_LIMIT


@pytest.mark.parametrize("function", sorted(stack.functions()))
def test_a_functions_own_code_is_small(lambda_service: Lambda, function: str) -> None:
    own = stack.functions()[function]["Handler"].partition(".")[0]
    assert 0 < build.size(lambda_service.task(function) / own) <= FUNCTION_LIMIT


def test_the_layer_has_nothing_that_nobody_reaches(lambda_service: Lambda) -> None:
    """The provider is called over httpx2, boto3 is Lambda's own, and no package brings its tests."""
    packages = lambda_service.artefacts / LAYER / "python"
    found = {path.name for path in packages.iterdir()}
    assert {"openai", "boto3", "botocore", "langchain_core", "numpy"}.isdisjoint(found)
    assert [path for path in packages.rglob("tests") if any(path.glob("test_*.py"))] == []
