"""What a cold start may load: a fresh process a handler, and what is in it counted, never timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec

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
# Rooms and parts of the project that a function has no use for, or not before a request asks for them.
NOT_THEIRS = {
    "chat.handler": {"chat_core.long_term.folding", "chat_core.api.shapes", "chat_core.conversations"},
    "history.handler": {
        "chat_core.long_term.folding",
        "chat_core.api.shapes",
        "chat_core.api.streams",
        "chat_core.long_term.embedder",
        "chat_core.model.openai",
    },
    "memory.handler": {"chat_core.api.shapes", "chat_core.conversations"},
    "authorizer.handler": {"chat_core.long_term", "chat_core.turns"},
}
# The dataclasses of the project's own among them: each is written and compiled anew at every start, as long as the
# import of two modules takes. What is only handed on is a named tuple.
GENERATED = {"chat.handler": 98, "history.handler": 98, "memory.handler": 111, "authorizer.handler": 10}
# Modules in the process once the handler is imported, on any Python that is supported; a new one has to be worth it.
BUDGETS = {"chat.handler": 555, "history.handler": 550, "memory.handler": 565, "authorizer.handler": 170}


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


@pytest.mark.parametrize(("handler", "parts"), NOT_THEIRS.items())
def test_a_handler_loads_no_part_that_it_has_no_use_for(handler: str, parts: set[str]) -> None:
    assert all(find_spec(part) for part in parts)  # a part that moved is not looked for in vain
    assert parts & loaded_by(handler) == set()


@pytest.mark.parametrize(("handler", "budget"), GENERATED.items())
def test_a_handler_stays_within_its_budget_of_dataclasses(handler: str, budget: int) -> None:
    classes = {
        found
        for name in loaded_by(handler)
        if name.partition(".")[0] in {"chat_core", handler.partition(".")[0]}
        for found in vars(import_module(name)).values()
        if isinstance(found, type) and "__dataclass_fields__" in vars(found)
    }
    assert budget - 20 < len(classes) <= budget, sorted(map(repr, classes))
