"""SnapStart is the operator's choice."""

from __future__ import annotations

import pytest

from tests.infra import stack


@pytest.mark.parametrize(("chosen", "expected"), [("on", {"ApplyOn": "PublishedVersions"}), ("off", None)])
def test_environments_start_from_a_snapshot_where_asked(chosen: str, expected: object) -> None:
    resolved = stack.resolver(SnapStart=chosen).resolve({"Function": stack.function_globals()["SnapStart"]})
    assert resolved.get("Function") == expected
