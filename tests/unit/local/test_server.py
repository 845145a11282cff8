from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from local.server import CLIENTS

PINNED = Path(__file__).parents[3] / "requirements" / "run.txt"


@pytest.mark.parametrize("module", CLIENTS)
def test_what_environments_load_ahead_is_what_make_run_installs(module: str) -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", PINNED.read_text(), re.MULTILINE))

    assert pinned & set(packages_distributions()[module])
