"""What every test starts from: fake settings of Powertools, and hypothesis profiles."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

gc.set_threshold(200_000, 50, 20)  # what is imported and collected stays
pytest_plugins = ("tests.one_environment",)

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "OmoideTests")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")

# The same examples each time, so that what fails was broken by the change at hand; `nightly` draws others each time.
settings.register_profile(
    "ci", max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_xdist_auto_num_workers() -> int:
    """Run twice as many as there are processors, to a bound: the tests wait as much as they compute."""
    return min(2 * (os.cpu_count() or 1), 4)


class ServerScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Gives a worker one file after another; those of a folder that shares one dev server all to the same."""

    def _split_scope(self, nodeid: str) -> str:
        scope = super()._split_scope(nodeid)
        return "tests/e2e" if scope.startswith("tests/e2e/") else scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ServerScheduling:
    """Keep to the order of the files: the slow ones come early, and the last wait for none of them."""
    config.option.loadscopereorder = False
    return ServerScheduling(config, log)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives to the end, and let it run more seldom: an eighth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 20)


@pytest.fixture(scope="session", autouse=True)
def _logger() -> None:
    """Make the logger before a test captures what is written: its handler keeps the stream that it finds."""
    from chat_core.observability import logger

    logger()
