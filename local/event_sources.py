"""What starts a function beside requests, as the template says: the stream of a table, and schedules."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.cloudformation import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A DynamoDB stream that starts a function, with Lambda's defaults.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html

    Parameters
    ----------
    table
        Logical id of the table.
    starting_position
        ``TRIM_HORIZON`` or ``LATEST``.
    batch_size
        The most records of an event.
    window
        Seconds that a batch that is not full waits for more.
    filters
        Event patterns, of which a record must match one; none match all.
    bisect
        Whether a batch that failed is halved.
    retries
        How often a batch is tried again; -1 until its records are too old.
    max_age
        Seconds after which a record is given up; -1 for never.
    partial
        Whether the function's answer may name the records that failed.
    parallel
        How many batches of a shard may be under way at once; records of one partition key stay in order.
    """

    table: str
    starting_position: str = "LATEST"
    batch_size: int = 100
    window: float = 0
    filters: tuple[Mapping[str, Any], ...] = ()
    bisect: bool = False
    retries: int = -1
    max_age: float = -1
    partial: bool = False
    parallel: int = 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """A time that starts a function again and again.

    Parameters
    ----------
    name
        Of the rule.
    seconds
        Between two starts.
    event
        What the function gets; None for EventBridge's own event.
    """

    name: str
    seconds: float
    event: Any = field(default=None)


def stream_sources(events: Mapping[str, Any]) -> tuple[StreamSource, ...]:
    """Read a function's streams from its events, resolved.

    Raises
    ------
    TemplateError
        If a filter is not JSON.
    """
    found = (event["Properties"] for event in events.values() if event["Type"] == "DynamoDB")
    return tuple(_stream(properties) for properties in found if properties.get("Enabled", True))


def schedules(events: Mapping[str, Any]) -> tuple[Schedule, ...]:
    """Read a function's schedules from its events, resolved.

    Raises
    ------
    TemplateError
        If it is no rate, or its input is not JSON.
    """
    kinds = {"Schedule": "Schedule", "ScheduleV2": "ScheduleExpression"}
    return tuple(
        _schedule(name, str(event["Properties"][kinds[event["Type"]]]), event["Properties"])
        for name, event in events.items()
        if event["Type"] in kinds and event["Properties"].get("Enabled", True)
    )


def _stream(properties: Mapping[str, Any]) -> StreamSource:
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    return StreamSource(
        table=str(properties["Stream"]).removesuffix(".StreamArn"),
        starting_position=properties.get("StartingPosition", "LATEST"),
        batch_size=int(properties.get("BatchSize", 100)),
        window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        filters=tuple(_json(each["Pattern"]) for each in filters),
        bisect=bool(properties.get("BisectBatchOnFunctionError", False)),
        retries=int(properties.get("MaximumRetryAttempts", -1)),
        max_age=float(properties.get("MaximumRecordAgeInSeconds", -1)),
        parallel=int(properties.get("ParallelizationFactor", 1)),
        partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )


def _schedule(name: str, expression: str, properties: Mapping[str, Any]) -> Schedule:
    rate = _RATE.fullmatch(expression)
    if rate is None:
        message = f"The schedule {expression} is no rate, which is all that the dev server knows."
        raise TemplateError(message)
    event = properties.get("Input")
    return Schedule(
        name=str(properties.get("Name") or name),
        seconds=float(int(rate[1]) * _UNITS[rate[2]]),
        event=None if event is None else _json(event),
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        message = f"{text} in the template is not JSON."
        raise TemplateError(message) from None
