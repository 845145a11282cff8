"""Which runner a case is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.memory.registry import POLICIES
from tests.conformance import facts, keys, recall, summaries, tokens, views, windows
from tests.conformance.cases import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conformance.cases import Case

BY_POLICY: Mapping[str, Callable[[Case], Outcome]] = {
    **dict.fromkeys(POLICIES, windows.run),
    **dict.fromkeys(("entities", "knowledge_graph"), facts.run),
    **dict.fromkeys(("recall", "semantic_recall"), recall.run),
    **dict.fromkeys(("summary", "summary_window"), summaries.run),
    "any": windows.run_pure,
    "read_only_view": windows.run_pure,
    "token_count": tokens.run,
}
"""By a case's ``policy``; one that does not exist yet is skipped."""


def run_case(case: Case) -> Outcome:
    """Run one case by its shape, whatever the kind of its file."""
    try:
        return _run(case)
    except Exception as error:  # one case's fault is not the others'
        return Outcome("failed", (f"raised {type(error).__name__}: {error}",))


def _run(case: Case) -> Outcome:
    if case.get("op") == "events":
        return Outcome("skipped", ("told as events: an integration test",))
    if "request_a" in case and "request_b" in case:
        return keys.run(case)
    if "policy" not in case or "op" not in case:
        return Outcome("failed", ("This runner does not know the case's shape.",))
    if case["op"] == "view" and "order" in case["expected"] and "add" in case.get("params", {}):
        return views.run(case)
    runner = BY_POLICY.get(case["policy"])
    return runner(case) if runner else Outcome("skipped", (f"there is no policy {case['policy']}",))
