from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tools.paths import import_paths

CODE = """
from chat_core import observability

@observability.metrics().log_metrics
def handler(event, context):
    observability.count(observability.Metric.REQUESTS)
    observability.count(observability.Metric.CACHE_ERRORS, reason="timeout")

handler({}, None)
handler({}, None)
"""


@pytest.mark.parametrize(("variables", "stage"), [({"STAGE": "staging"}, "staging"), ({}, "local")])
def test_every_metric_says_of_which_stage_it_is(variables: dict[str, str], stage: str) -> None:
    own = {name: value for name, value in os.environ.items() if name != "STAGE"}
    own |= {"PYTHONPATH": os.pathsep.join(map(str, import_paths())), "POWERTOOLS_SERVICE_NAME": "chat", **variables}
    done = subprocess.run([sys.executable, "-c", CODE], env=own, capture_output=True, text=True, check=True)  # noqa: S603
    written = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(written) == 4  # two of each invocation
    for line in written:
        assert (line["service"], line["stage"]) == ("chat", stage)
        [directive] = line["_aws"]["CloudWatchMetrics"]
        [dimensions] = directive["Dimensions"]
        expected = {"service", "stage"} | ({"reason"} if "CacheErrors" in line else set())
        assert set(dimensions) == expected
