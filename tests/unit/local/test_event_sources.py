from __future__ import annotations

from typing import Any

import pytest

from local.cloudformation import TemplateError
from local.event_sources import Schedule, StreamSource, schedules, stream_sources

FILTER = '{"dynamodb": {"Keys": {"sk": {"S": ["due"]}}}}'


def stream(**properties: Any) -> dict[str, Any]:
    return {"Due": {"Type": "DynamoDB", "Properties": {"Stream": "HistoryTable.StreamArn", **properties}}}


def test_a_stream_is_read_with_lambdas_defaults() -> None:
    assert stream_sources(stream()) == (StreamSource("HistoryTable"),)
    assert stream_sources({"Post": {"Type": "Api", "Properties": {}}}) == ()
    assert stream_sources(stream(Enabled=False)) == ()


def test_a_stream_is_read_with_all_that_it_says() -> None:
    said = stream(
        StartingPosition="TRIM_HORIZON",
        BatchSize=10,
        MaximumBatchingWindowInSeconds=1,
        FilterCriteria={"Filters": [{"Pattern": FILTER}]},
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=3,
        MaximumRecordAgeInSeconds=3600,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ParallelizationFactor=10,
    )
    assert stream_sources(said) == (
        StreamSource(
            table="HistoryTable",
            starting_position="TRIM_HORIZON",
            batch_size=10,
            window=1.0,
            filters=({"dynamodb": {"Keys": {"sk": {"S": ["due"]}}}},),
            bisect=True,
            retries=3,
            max_age=3600.0,
            partial=True,
            parallel=10,
        ),
    )


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"Type": "Schedule", "Properties": {"Schedule": "rate(5 minutes)"}}, Schedule("Missed", 300.0)),
        ({"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 hour)"}}, Schedule("Missed", 3600.0)),
        (
            {"Type": "Schedule", "Properties": {"Schedule": "rate(2 days)", "Name": "own", "Input": '{"a": 1}'}},
            Schedule("own", 172_800.0, {"a": 1}),
        ),
    ],
)
def test_a_schedule_is_read(event: dict[str, Any], expected: Schedule) -> None:
    assert schedules({"Missed": event}) == (expected,)
    assert schedules({"Missed": {**event, "Properties": {**event["Properties"], "Enabled": False}}}) == ()


def test_what_is_not_known_is_told() -> None:
    with pytest.raises(TemplateError, match="cron"):
        schedules({"Missed": {"Type": "Schedule", "Properties": {"Schedule": "cron(0 10 * * ? *)"}}})
    with pytest.raises(TemplateError, match="not JSON"):
        stream_sources(stream(FilterCriteria={"Filters": [{"Pattern": "{"}]}))
