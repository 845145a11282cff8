from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.cases import Case, load_cases
from tests.conformance.command import main
from tests.conformance.kinds import run_case

CASES = Path(__file__).parents[1] / "cases"


ALL_CASES = [
    pytest.param(case, id=f"{path.stem}-{case['id']}")
    for path in sorted(CASES.glob("*.json"))
    for case in load_cases(path)
]


@pytest.mark.parametrize("case", ALL_CASES)
def test_case(case: Case) -> None:
    outcome = run_case(case)
    if outcome.status == "skipped":
        pytest.skip(outcome.details[0])
    assert outcome.status == "passed", "\n".join(outcome.details)


def test_what_is_told_as_events_has_an_integration_test_of_its_id() -> None:
    """Those are skipped here; LM-007 is among them, since it tells of the store."""
    tests = "".join(path.read_text(encoding="utf-8") for path in (CASES.parent / "integration").glob("test_*.py"))
    told = {case["id"] for path in CASES.glob("*.json") for case in load_cases(path) if case.get("op") == "events"}
    assert told
    assert [name for name in sorted({*told, "LM-007"}) if f'"""{name}.' not in tests] == []


def case_of(name: str, case_id: str) -> Case:
    return copy.deepcopy(load_cases(CASES / f"{name}.json", case_id)[0])


@pytest.mark.parametrize(
    ("case_id", "wrong"),
    [
        ("MW-005", {"retained": ["s1", "a1", "u2", "a2"]}),
        ("MW-005", {"over_budget": True}),
        ("MW-005", {"error": "context_budget_exceeded"}),
        ("MW-005", {"evicted_to": "nowhere"}),
        ("MW-030", {"over_budget": False}),
        ("TK-011", {"required_tokens": 37}),
        ("TK-011", {"budget_tokens": 3}),
        ("TK-011", {"error": None}),
        ("LC-002", {"error": None}),
        ("WH-001", {"first_message_changes": 4}),
        ("RS-001", {"retained": ["r1", "a1", "t1", "a2", "u2"], "also_valid": ["u1", "u2"]}),
    ],
)
def test_a_wrong_expectation_fails(case_id: str, wrong: dict[str, Any]) -> None:
    case = case_of("windows", case_id)
    case["expected"] |= wrong
    outcome = run_case(case)
    assert outcome.status == "failed"
    assert any(line.startswith(next(iter(wrong))) for line in outcome.details)


def test_every_step_is_checked() -> None:
    case = case_of("windows", "MW-005")
    case["expected_after_each_step"][1] = ["u1"]
    assert run_case(case).status == "failed"


def test_either_of_two_valid_views_passes() -> None:
    case = case_of("windows", "RS-001")
    expected = case["expected"]
    expected["retained"], expected["also_valid"] = expected["also_valid"], expected["retained"]
    assert run_case(case).status == "passed"


@pytest.mark.parametrize("case_id", ["order-top-level", "text-case"])
def test_a_wrong_key_case_fails(case_id: str) -> None:
    case = case_of("cache_keys", case_id)
    case["same_key"] = not case["same_key"]
    assert run_case(case).status == "failed"
    case["request_a"] = case["request_b"] = {"seed": float("nan")}
    assert "Uncacheable" in "".join(run_case(case).details)


@pytest.mark.parametrize("case", [{"id": "x"}, {"id": "x", "policy": "buffer", "op": "view", "messages": 7}])
def test_a_case_of_an_unknown_shape_fails(case: Case) -> None:
    assert run_case(case).status == "failed"


def run(tmp_path: Path, content: Any, *arguments: str) -> int:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return main([str(path), *arguments])


def test_the_last_line_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = case_of("windows", "MW-005"), case_of("windows", "MW-006")
    bad["expected"]["retained"] = ["\ud83d"]
    cases = [good, bad, {**good, "id": "MW-new", "policy": "telepathy"}, {**good, "id": "MW-told", "op": "events"}]
    assert run(tmp_path, {"kind": "windows", "cases": cases}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "1 passed, 1 failed, 2 skipped"
    assert "FAILED MW-006" in lines
    assert any("telepathy" in line for line in lines)
    assert run(tmp_path, cases, "--only", "MW-*5") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("content", [{}, [], {"cases": []}, {"cases": "x"}, [7], [{"name": "no id"}], "text"])
def test_a_file_without_cases_is_said(content: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, content) == 2
    assert "cases.json" in capsys.readouterr().err


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert main([str(tmp_path)]) == 2
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert main([str(tmp_path / "broken.json")]) == 2
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    assert main([str(tmp_path / "bytes.json")]) == 2
    assert run(tmp_path, [case_of("windows", "MW-005")], "--only", "TK-*") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 5
    assert all(line.endswith(".") for line in said)
