"""Runs a file of cases against the code: ``python -m tests.conformance FILE [--only PATTERN]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

if __name__ == "__main__":  # pytest has the path from pyproject.toml
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "chat_core"))

from chat_core.errors import InvalidRequest
from chat_core.keys import SCHEMA, Uncacheable, response_key
from chat_core.memory import UNCOUNTED, Counting, MemoryPolicy, View, parse_policy
from chat_core.memory.registry import POLICIES
from chat_core.tokens.counter import counter_for
from tests.chat_messages import from_chat
from tests.official_tokens import worst_relative_error

Case = dict[str, Any]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_SCOPE = "tenant"

# Members of `params` that tell of a peer's surroundings: a view of ours depends on none of them.
SURROUNDINGS = frozenset({"store", "api"})

PLACEHOLDER_TOKENS = 1
"""What a message that a view changed counts in a case, which tells the tokens of its own messages only."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended; ``details`` say what was expected and got, or which policy there is not."""

    status: Literal["passed", "failed", "skipped"]
    details: tuple[str, ...] = ()


class UnreadableCases(Exception):
    """A file holds no cases that can be run."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}")


def load_cases(path: Path, pattern: str = "*") -> list[Case]:
    """Read the cases of a file whose ids match: an object with ``cases``, or a list of them."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableCases(path, f"cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UnreadableCases(path, f"is not JSON: {error}.") from None
    cases = content.get("cases") if isinstance(content, dict) else content
    if not isinstance(cases, list) or not cases:
        raise UnreadableCases(path, 'has no list "cases" with a case in it.')
    for place, case in enumerate(cases):
        if not isinstance(case, dict) or not isinstance(case.get("id"), str):
            raise UnreadableCases(path, f'holds at place {place} no object with an "id".')
    chosen = [case for case in cases if fnmatchcase(case["id"], pattern)]
    if not chosen:
        raise UnreadableCases(path, f"has no case whose id matches {pattern}.")
    return chosen


def run_case(case: Case) -> Outcome:
    """Run one case by its shape, whatever the kind of its file."""
    try:
        if "request_a" in case and "request_b" in case:
            return _run_key_case(case)
        if "policy" in case and "messages" in case:
            return _run_memory_case(case)
    except Exception as error:  # one case's fault is not the others'
        return Outcome("failed", (f"raised {type(error).__name__}: {error}",))
    return Outcome("failed", ("This runner does not know the case's shape.",))


def _run_token_case(case: Case) -> Outcome:
    """Count what a case's messages take, and how far off the counts of a corpus are from tiktoken's own."""
    expected = {"error": None, **case["expected"]}
    counter = counter_for("gpt-4o")
    got: dict[str, Any] = {
        "error": None,
        "tokens": sum(counter.message(message) for message in from_chat(case["messages"])),
    }
    if (most := expected.pop("max_relative_error", None)) is not None:
        worst = worst_relative_error(counter.text)
        expected["within"], got["within"] = True, worst <= most
    return _compared(expected, got)


def _run_memory_case(case: Case) -> Outcome:
    if case["policy"] == "token_count":
        return _run_token_case(case)
    if case["policy"] not in POLICIES:
        return Outcome("skipped", (f"there is no policy {case['policy']}",))
    params = {name: value for name, value in case["params"].items() if name not in SURROUNDINGS}
    expected = {"error": None, **case["expected"]}
    try:
        policy = parse_policy({**params, "policy": case["policy"]})
    except InvalidRequest as error:
        return _compared(expected, {"error": "invalid_argument"}, note=error.message)

    prefixes = range(1, len(case["messages"])) if case["op"] == "append" else ()
    views = [_view(policy, case, length) for length in (*prefixes, len(case["messages"]))]
    if steps := case.get("expected_after_each_step"):
        expected["expected_after_each_step"] = steps
    expected.setdefault("over_budget", False)
    if expected.pop("also_valid", None) == _ids(views[-1]):
        expected["retained"] = _ids(views[-1])
    return _compared(expected, _got(views))


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
        "retained": _ids(last),
        "cleared": list(last.cleared),
        "over_budget": last.over_budget,
        "error": last.refusal and last.refusal.code,
        "required_tokens": getattr(last.refusal, "required_tokens", None),
        "budget_tokens": getattr(last.refusal, "budget_tokens", None),
        "first_message_changes": sum(before != after for before, after in pairwise(firsts)),
        "expected_after_each_step": [_ids(view) for view in views],
    }


def _ids(view: View) -> list[str]:
    return [message.id for message in view.messages]


def _compared(expected: dict[str, Any], got: dict[str, Any], note: str = "") -> Outcome:
    wrong = [
        f"{name}: expected {_shown(value)}, got {_shown(got[name]) if name in got else 'nothing of the kind'}"
        for name, value in expected.items()
        if name not in got or got[name] != value
    ]
    return Outcome("failed", (*wrong, note) if note else tuple(wrong)) if wrong else Outcome("passed")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _run_key_case(case: Case) -> Outcome:
    keys = [_key(case[f"request_{side}"], case.get(f"context_{side}") or {}) for side in "ab"]
    same = keys[0] == keys[1]
    if same is case["same_key"] and not any(key.startswith("Uncacheable") for key in keys):
        return Outcome("passed")
    expected = "the same key" if case["same_key"] else "two keys"
    return Outcome("failed", (f"expected {expected}", f"got a {keys[0]}", f"got b {keys[1]}"))


def _key(request: dict[str, Any], context: dict[str, Any]) -> str:
    try:
        return response_key(
            context.get("endpoint", "chat/completions"),
            request,
            scope=context.get("tenant", DEFAULT_SCOPE),
            base_url=context.get("base_url", DEFAULT_BASE_URL),
            api_version=context.get("api_version", ""),
            epoch=context.get("epoch", 0),
            schema=context.get("schema_version", SCHEMA),
        )
    except Uncacheable as error:
        return f"Uncacheable: {error}"


def main(arguments: list[str] | None = None) -> int:
    """Run a file and print each failed case, then the counts; 0 when none failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("file", type=Path, help="a file in the form of tests/cases/*.json")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="ids of the cases to run, e.g. 'CT-*'")
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # cases hold lone surrogates

    try:
        cases = load_cases(options.file, options.only)
    except UnreadableCases as error:
        sys.stderr.write(f"{error}\n")
        return 2

    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for case in cases:
        outcome = run_case(case)
        counts[outcome.status] += 1
        if outcome.status == "failed":
            _write(f"FAILED {case['id']}", *(f"    {line}" for line in outcome.details))
        elif outcome.status == "skipped":
            skipped.update(outcome.details)
    for reason, count in sorted(skipped.items()):
        _write(f"skipped {count}: {reason}")
    _write(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


def _write(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
