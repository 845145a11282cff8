"""The documents name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_proof_is_a_test() -> None:
    named = re.findall(r"`([^`\s]*?)(?:::(test_\w+))?(?:\[[^\]]*\])?`", PAGE)
    found = 0
    file = ""
    for path, test in named:
        if path.endswith(".py"):
            file = path.removeprefix("tests/")
            assert (TESTS / file).is_file(), path
        elif not test:
            continue
        if test:
            found += 1
            assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), (file, test)
    assert found >= 20
