"""What a cold start may load: a fresh process a handler."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tools.paths import import_paths

# Powertools looks whether botocore is there, by importing its top; the weight is below it.
VENDORS = {"httpx2", "boto3", "botocore.session", "momento", "grpc", "moto", "openai", "tiktoken"}


@pytest.mark.parametrize("handler", ["chat.handler", "history.handler", "memory.handler"])
def test_a_handler_loads_no_vendor(handler: str) -> None:
    code = f"import json, sys, {handler}; print(json.dumps(list(sys.modules)))"
    paths = os.pathsep.join(map(str, import_paths()))
    loaded = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": paths}
    )
    assert VENDORS.isdisjoint(json.loads(loaded.stdout))
