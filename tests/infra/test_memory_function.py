"""What starts the memory function, and what it may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat_core.keys import DUE, HEAD, MEMORY
from chat_core.settings import MemorySettings
from tests.infra import stack

FUNCTION = stack.functions()["MemoryFunction"]
TABLE = stack.only("AWS::DynamoDB::Table")["Properties"]
SOURCE: dict[str, Any] = FUNCTION["Events"]["Due"]["Properties"]


def test_the_stream_tells_keys_alone() -> None:
    assert TABLE["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert SOURCE["Stream"] == {"Fn::GetAtt": "HistoryTable.StreamArn"}


@pytest.mark.parametrize(("sort_key", "starts"), [(DUE, True), (HEAD, False), (MEMORY, False), ("item#1", False)])
def test_it_is_started_by_work_and_by_nothing_else(sort_key: str, starts: bool) -> None:
    [filtered] = SOURCE["FilterCriteria"]["Filters"]
    pattern = json.loads(filtered["Pattern"])
    assert (sort_key in pattern["dynamodb"]["Keys"]["sk"]["S"]) is starts
    assert pattern["eventName"] == ["INSERT", "MODIFY"]  # not by its own deletion of the row


def test_a_record_that_fails_holds_up_no_other_and_is_told() -> None:
    assert SOURCE["StartingPosition"] == "TRIM_HORIZON"
    assert SOURCE["BatchSize"] == 10
    assert SOURCE["BisectBatchOnFunctionError"] is True
    assert SOURCE["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert SOURCE["MaximumRetryAttempts"] == 5
    assert SOURCE["MaximumRecordAgeInSeconds"] == 86_400
    failures = SOURCE["DestinationConfig"]["OnFailure"]
    assert failures == {"Type": "SQS", "Destination": {"Fn::GetAtt": "MemoryFailures.Arn"}}
    queue = stack.template()["Resources"]["MemoryFailures"]["Properties"]
    assert queue["SqsManagedSseEnabled"] is True


def test_a_schedule_starts_what_was_missed() -> None:
    assert FUNCTION["Events"]["Missed"] == {"Type": "Schedule", "Properties": {"Schedule": "rate(5 minutes)"}}


def test_concurrency_is_reserved_where_it_is_asked_for() -> None:
    condition, none, some = FUNCTION["ReservedConcurrentExecutions"]["Fn::If"]
    assert stack.template()["Conditions"][condition] == {"Fn::Equals": [{"Ref": "MemoryConcurrency"}, 0]}
    assert stack.template()["Parameters"]["MemoryConcurrency"]["Default"] == 0
    assert (none, some) == ({"Ref": "AWS::NoValue"}, {"Ref": "MemoryConcurrency"})


def test_it_has_no_right_to_the_users_nor_to_the_api() -> None:
    for statement in stack.statements("MemoryFunction"):
        for action in stack.as_list(statement["Action"]):
            assert action.split(":")[0] in ("dynamodb", "secretsmanager")
    assert not any(event["Type"] == "Api" for event in FUNCTION["Events"].values())


def test_its_model_is_the_chat_model_unless_another_is_named() -> None:
    assert MemorySettings.from_env(stack.environment("MemoryFunction")).model == "gpt-4.1-mini"
    assert MemorySettings.from_env(stack.environment("MemoryFunction", ChatModel="a-model")).model == "a-model"
    other = stack.environment("MemoryFunction", MemoryModel="another")
    assert MemorySettings.from_env(other).model == "another"
