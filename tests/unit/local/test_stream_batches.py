from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.event_sources import StreamSource
from local.stream_batches import Batch, Outcome, after, batches, first_failure

SOURCE = StreamSource("T", retries=2, max_age=100, bisect=True, partial=True)
NOW = 1_000.0


def record(number: int, *, age: float = 1.0) -> dict[str, Any]:
    return {"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": NOW - age}}


BATCH = Batch(tuple(record(number) for number in range(4)))


def failed(*identifiers: Any) -> bytes:
    return json.dumps({"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}).encode()


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (b"null", None),
        (b"{}", None),
        (b'{"batchItemFailures": []}', None),
        (b'{"batchItemFailures": null}', None),
        (failed("2"), 2),
        (failed("3", "1"), 1),
        (failed("0"), 0),
        (failed(""), 0),
        (failed(None), 0),
        (failed("99", "2"), 0),
        (b'{"batchItemFailures": [{"bad": "2"}]}', 0),
        (b'{"batchItemFailures": "2"}', 0),
        (b'"text"', 0),
        (b"not json", 0),
        (None, 0),
    ],
)
def test_the_first_failure_is_found(answer: bytes | None, place: int | None) -> None:
    assert first_failure(BATCH, answer, SOURCE) == place


def test_a_source_without_partial_answers_reads_none() -> None:
    whole = replace(SOURCE, partial=False)
    assert first_failure(BATCH, failed("2"), whole) is None
    assert first_failure(BATCH, None, whole) == 0


def test_what_went_well_is_done_with() -> None:
    assert after(BATCH, None, SOURCE, now=NOW) == Outcome()
    assert after(BATCH, 3, SOURCE, now=NOW) == Outcome((Batch(BATCH.records[3:]),))


def test_a_batch_that_failed_is_halved_and_that_is_no_retry() -> None:
    assert after(BATCH, 0, SOURCE, now=NOW).again == (Batch(BATCH.records[:2]), Batch(BATCH.records[2:]))
    assert after(BATCH, 0, replace(SOURCE, bisect=False), now=NOW).again == (replace(BATCH, tries=1),)


def test_retries_end() -> None:
    one = Batch((record(7),))
    tried = 0
    outcome = Outcome((one,))
    while outcome.again:
        tried += 1
        outcome = after(outcome.again[0], 0, SOURCE, now=NOW)
    assert tried == 3
    assert outcome.given_up == one.records


def test_records_that_are_too_old_are_given_up() -> None:
    old = Batch((record(1, age=200), record(2), record(3, age=101)))
    outcome = after(old, 0, SOURCE, now=NOW)
    assert outcome == Outcome((Batch((old.records[1],), tries=1),), (old.records[0], old.records[2]))
    assert after(Batch(old.records[:1]), 0, SOURCE, now=NOW) == Outcome(given_up=old.records[:1])
    assert not after(old, 0, replace(SOURCE, max_age=-1), now=NOW).given_up


@given(
    count=st.integers(1, 12),
    size=st.integers(1, 6),
    poison=st.sets(st.integers(0, 11)),
    source=st.builds(
        StreamSource, st.just("T"), bisect=st.booleans(), partial=st.booleans(), retries=st.integers(0, 3)
    ),
    data=st.data(),
)
def test_each_record_is_worked_on_in_order_or_given_up_and_none_is_lost(
    count: int, size: int, poison: set[int], source: StreamSource, data: st.DataObject
) -> None:
    """A function that fails at certain records always, and at others now and then."""
    todo = batches([record(number) for number in range(count)], size)
    begun: list[int] = []
    done: set[int] = set()
    given_up: set[int] = set()
    for _ in range(500):
        if not todo:
            break
        batch, *todo = todo
        answer: bytes | None = b"{}"
        for each in batch.records:
            number = int(each["dynamodb"]["SequenceNumber"])
            begun.append(number)
            if number in poison or data.draw(st.integers(0, 9)) == 0:
                answer = failed(str(number)) if source.partial else None
                break
            done.add(number)
        outcome = after(batch, first_failure(batch, answer, source), source, now=NOW)
        todo = [*outcome.again, *todo]
        given_up |= {int(each["dynamodb"]["SequenceNumber"]) for each in outcome.given_up}
    assert not todo
    assert done | given_up == set(range(count))
    firsts = list(dict.fromkeys(begun))
    assert firsts == sorted(firsts)


@given(count=st.integers(1, 12), size=st.integers(1, 6), poison=st.sets(st.integers(0, 11)), partial=st.booleans())
def test_halving_costs_only_the_record_that_fails(count: int, size: int, poison: set[int], partial: bool) -> None:
    source = replace(SOURCE, partial=partial)
    todo = batches([record(number) for number in range(count)], size)
    given_up: set[int] = set()
    while todo:
        batch, *todo = todo
        numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in batch.records]
        bad = [number for number in numbers if number in poison]
        answer = b"{}" if not bad else failed(str(bad[0])) if partial else None
        outcome = after(batch, first_failure(batch, answer, source), source, now=NOW)
        todo = [*outcome.again, *todo]
        given_up |= {int(each["dynamodb"]["SequenceNumber"]) for each in outcome.given_up}
    assert given_up == poison & set(range(count))
