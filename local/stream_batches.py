"""What becomes of a batch of a stream's records, as Lambda's event source mappings decide it; pure.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.event_sources import StreamSource

Record = dict[str, Any]

_ALL_FAILED = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that go to the function together.

    Parameters
    ----------
    records
        At least one, in the order of the stream, as events have them.
    tries
        How often they have failed.
    """

    records: tuple[Record, ...]
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a try.

    Parameters
    ----------
    again
        Batches to try next, in this order.
    given_up
        Records that are not tried any more.
    """

    again: tuple[Batch, ...] = ()
    given_up: tuple[Record, ...] = ()


def first_failure(batch: Batch, answer: bytes | None, source: StreamSource) -> int | None:
    """Tell which record failed first, by its place; None where all of them went well.

    Parameters
    ----------
    answer
        The function's answer, JSON; None where it failed.
    """
    if answer is None:
        return _ALL_FAILED
    if not source.partial:
        return None
    try:
        failures = (json.loads(answer) or {}).get("batchItemFailures") or []
        named = [failure["itemIdentifier"] for failure in failures]
    except (ValueError, TypeError, KeyError, AttributeError):
        return _ALL_FAILED
    places = {record["dynamodb"]["SequenceNumber"]: place for place, record in enumerate(batch.records)}
    # One that is empty, null or unknown makes the whole batch fail.
    return min(
        (places.get(name, _ALL_FAILED) if isinstance(name, str) else _ALL_FAILED for name in named), default=None
    )


def after(batch: Batch, failure: int | None, source: StreamSource, *, now: float) -> Outcome:
    """Decide what follows.

    Parameters
    ----------
    failure
        See `first_failure`. What stands before it is done with.
    now
        Seconds since the epoch.
    """
    if failure is None:
        return Outcome()
    left = batch.records[failure:]
    old = tuple(record for record in left if is_too_old(record, source, now=now))
    young = tuple(record for record in left if not is_too_old(record, source, now=now))
    if not young:
        return Outcome(given_up=old)
    if failure:
        return Outcome((Batch(young),), old)
    if source.bisect and len(young) > 1:  # which is not one of the retries
        middle = len(young) // 2
        return Outcome((Batch(young[:middle], batch.tries), Batch(young[middle:], batch.tries)), old)
    if 0 <= source.retries <= batch.tries:
        return Outcome(given_up=(*old, *young))
    return Outcome((Batch(young, batch.tries + 1),), old)


def is_too_old(record: Record, source: StreamSource, *, now: float) -> bool:
    """Tell whether a record is past the age at which it is given up."""
    age = now - float(record["dynamodb"]["ApproximateCreationDateTime"])
    return 0 <= source.max_age < age


def event_record(record: Mapping[str, Any], arn: str) -> Record:
    """Write a record, as the stream's client gave it, as events have it: times in seconds, bytes in Base64."""
    written: Record = json.loads(json.dumps({**record, "eventSourceARN": arn}, default=_as_json))
    return written


def _as_json(value: Any) -> float | str:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def batches(records: Sequence[Record], size: int) -> list[Batch]:
    """Cut records into batches."""
    return [Batch(tuple(records[start : start + size])) for start in range(0, len(records), size)]
