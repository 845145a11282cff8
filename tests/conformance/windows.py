"""Cases of windows: what a policy shows of a list of messages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from chat_core.errors import InvalidRequest
from chat_core.memory import UNCOUNTED, Counting, MemoryPolicy, View, parse_policy
from tests.chat_messages import from_chat
from tests.conformance.cases import Case, Outcome, compared

# Members of `params` that tell of a peer's surroundings: a view of ours depends on none of them.
SURROUNDINGS = frozenset({"store", "api"})

PLACEHOLDER_TOKENS = 1
"""What a message that a view changed counts in a case, which tells the tokens of its own messages only."""

UNBOUNDED = ("buffer", "message_window", "turn_window")
"""Policies that need no parameter."""


def run(case: Case) -> Outcome:
    """Compute a case's view, or all of them while its messages are appended."""
    params = {name: value for name, value in case["params"].items() if name not in SURROUNDINGS}
    expected = {"error": None, **case["expected"]}
    try:
        policy = parse_policy({**params, "policy": case["policy"]})
    except InvalidRequest as error:
        return compared(expected, {"error": "invalid_argument"}, note=error.message)

    prefixes = range(1, len(case["messages"])) if case["op"] == "append" else ()
    views = [_view(policy, case, length) for length in (*prefixes, len(case["messages"]))]
    if steps := case.get("expected_after_each_step"):
        expected["expected_after_each_step"] = steps
    expected.setdefault("over_budget", False)
    if expected.pop("also_valid", None) == ids(views[-1]):
        expected["retained"] = ids(views[-1])
    return compared(expected, _got(views))


def run_pure(case: Case) -> Outcome:
    """Look at what every view promises, whatever its policy: computing it changes nothing, its own result included."""
    messages = from_chat(case["messages"])
    before = repr(messages)
    policies = [parse_policy({"policy": name}) for name in UNBOUNDED]
    at_once = [policy.view(messages) for policy in policies]
    for length in range(len(messages) + 1):
        one_by_one = [policy.view(messages[:length]) for policy in policies]
    same = [view.messages for view in one_by_one] == [view.messages for view in at_once]
    return compared(case["expected"], {"same_result_as_sync": same, "inner_state_changed": repr(messages) != before})


def _view(policy: MemoryPolicy, case: Case, length: int) -> View:
    counting = UNCOUNTED
    if counts := case.get("token_counts"):
        counting = Counting(
            count=lambda message: counts.get(message.id, PLACEHOLDER_TOKENS),
            overhead=case.get("request_overhead_tokens", 0),
        )
    return policy.view(from_chat(case["messages"][:length]), counting=counting)


def _got(views: list[View]) -> dict[str, Any]:
    last = views[-1]
    firsts = [next((message.id for message in view.messages if message.role != "system"), None) for view in views]
    return {
        "retained": ids(last),
        "cleared": list(last.cleared),
        "over_budget": last.over_budget,
        "error": last.refusal and last.refusal.code,
        "required_tokens": getattr(last.refusal, "required_tokens", None),
        "budget_tokens": getattr(last.refusal, "budget_tokens", None),
        "first_message_changes": sum(before != after for before, after in pairwise(firsts)),
        "expected_after_each_step": [ids(view) for view in views],
    }


def ids(view: View) -> list[str]:
    """Name the messages that a view holds."""
    return [message.id for message in view.messages]
