"""What a cold start may load: a fresh process a handler, and what is in it counted, never timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from tools.paths import import_paths

# Powertools looks whether botocore is there, by importing its top; the weight is below it.
VENDORS = {
    "boto3",
    "botocore.session",
    "botocore.client",
    "grpc",
    "httpx2",
    "momento",
    "momento_wire_types",
    "openai",
    "pydantic",
    "pydantic_core",
}
# What a library would bring along unasked: Powertools' other utilities, the tokenizer's data.
UNASKED = {
    "aws_lambda_powertools.utilities.parser",
    "aws_lambda_powertools.utilities.validation",
    "aws_xray_sdk",
    "cryptography",
    "jwt",
    "moto",
    "numpy",
    "tiktoken",
    "urllib3",
    "yaml",
}
# Modules in the process once the handler is imported, on any Python that is supported; a new one has to be worth it.
BUDGETS = {"chat.handler": 560, "history.handler": 555, "memory.handler": 570, "authorizer.handler": 170}


@cache
def loaded_by(handler: str) -> frozenset[str]:
    code = f"import json, sys, {handler}; print(json.dumps(list(sys.modules)))"
    paths = os.pathsep.join(map(str, import_paths()))
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": paths}
    )
    return frozenset(json.loads(done.stdout))


@pytest.mark.parametrize("handler", BUDGETS)
def test_a_handler_loads_no_vendor(handler: str) -> None:
    assert VENDORS & loaded_by(handler) == set()


@pytest.mark.parametrize("handler", BUDGETS)
def test_a_handler_loads_nothing_unasked(handler: str) -> None:
    assert UNASKED & loaded_by(handler) == set()


@pytest.mark.parametrize(("handler", "budget"), BUDGETS.items())
def test_a_handler_stays_within_its_budget_of_modules(handler: str, budget: int) -> None:
    loaded = loaded_by(handler)
    assert budget - 100 < len(loaded) <= budget, sorted(loaded)
