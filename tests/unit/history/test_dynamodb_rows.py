"""Records become rows and come back exactly; expressions name every attribute and value that they use."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_core.history.dynamodb.batches import BATCH_BYTES, BATCH_ROWS, batches
from chat_core.history.dynamodb.heads import activity, head_from_row, head_row, is_visible, last_turn, listed_head
from chat_core.history.dynamodb.items import MARKER, by_item, item_rows, read_item
from chat_core.history.dynamodb.packing import ROW_BYTES, Corrupt, joined, packed, packed_bytes, split, unpacked
from chat_core.history.dynamodb.records import record_from_row, record_rows
from chat_core.history.dynamodb.rows import is_expired, number, read_int, read_seconds, read_text, row_bytes
from chat_core.history.dynamodb.table import expressed
from chat_core.history.records import Head, IdempotencyKey, IdempotencyRecord, LastTurn
from chat_core.keys import Address, partition_key
from chat_core.messages import BEGINNING, Anchor, Turn

INCARNATION = "0123456789abcdef"
HERE = Address("user", "chat")
PK = partition_key(HERE)

properties = settings(max_examples=50, deadline=None)
texts = st.text()
numbers = st.integers(-(10**60), 10**60) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
large_texts = st.builds(lambda text, times: text * times, st.text(min_size=1), st.integers(1, 2_000))
seconds = st.floats(0, 1e11)


def exact(value: object) -> str:
    """Tell values apart that compare equal: 1, 1.0 and True, and objects of another order."""
    return repr(value)


def noise(size: int, seed: int = 1) -> str:
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()


@properties
@given(values | large_texts)
def test_values_come_back_exactly(value: Any) -> None:
    assert exact(unpacked(packed(value))[0]) == exact(value)


@pytest.mark.parametrize("large", ["", "語" * 1_000])
def test_what_an_earlier_version_stored_is_mended(large: str) -> None:
    stored = packed(
        {"cut \ud83d": ["\ud83d\ude00 \ude00 \\ud83d", 1.5, large], "numbers": [float("inf"), float("nan")]}
    )
    expected = {"cut \ufffd": ["😀 \ufffd \\ud83d", 1.5, large], "numbers": [None, None]}
    assert unpacked(stored)[0] == expected


@properties
@given(large_texts)
def test_long_values_are_stored_in_the_shorter_form(value: str) -> None:
    attribute = packed(value)
    _, size = unpacked(attribute)
    assert packed_bytes(attribute) <= size
    assert size > 1_024 or "S" in attribute


def test_a_compressible_value_is_compressed() -> None:
    assert packed_bytes(packed("あ" * 100_000)) < 1_000
    assert "S" in packed("a" * 1_000)


@settings(properties, max_examples=25)
@given(st.integers(1, 3 * ROW_BYTES), st.integers(0, 9))
def test_what_is_split_is_joined(size: int, seed: int) -> None:
    value = noise(size, seed)
    cut = split(packed(value))
    if packed_bytes(packed(value)) <= ROW_BYTES:
        assert cut is None
        return
    assert cut is not None
    digest, pieces = cut
    assert all(0 < len(piece) <= ROW_BYTES for piece in pieces)
    assert joined(digest, pieces) == (value, len(value) + 2)
    for wrong in (pieces[1:], pieces[::-1], [*pieces[:-1], pieces[-1][:-1]]):
        with pytest.raises(Corrupt):
            joined(digest, wrong)


@pytest.mark.parametrize(
    "broken", [None, {"S": ""}, {"S": "{"}, {"B": b""}, {"B": b"x\x9c"}, {"N": "7"}, {"BOOL": True}]
)
def test_what_is_no_value_is_corrupt(broken: Any) -> None:
    with pytest.raises(Corrupt):
        unpacked(broken)


def test_every_broken_stream_is_corrupt() -> None:
    stream = packed("a" * 5_000)["B"]
    for cut in range(len(stream)):
        with pytest.raises(Corrupt):
            unpacked({"B": stream[:cut]})


@properties
@given(st.integers(-(10**30), 10**30))
def test_integers_come_back(value: int) -> None:
    assert read_int({"n": number(value)}, "n") == value


@properties
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_times_come_back(value: float) -> None:
    assert read_seconds({"n": number(value)}, "n") == value


@properties
@given(items=st.lists(objects, min_size=1, max_size=3), first=st.integers(1, 10**9), backwards=st.booleans())
def test_items_come_back_in_either_order(items: list[dict[str, Any]], first: int, *, backwards: bool) -> None:
    items = [{name: value for name, value in item.items() if name not in ("id", "type")} for item in items]
    rows = item_rows(PK, INCARNATION, Turn("turn_1", tuple(items), 5), first_seq=first, expires_at=None)
    found = [read_item(group, INCARNATION) for group in by_item(reversed(rows) if backwards else rows)]
    if backwards:
        found.reverse()
    for seq, (item, read) in enumerate(zip(items, found, strict=True), first):
        assert read is not None
        assert read.whole
        assert (read.stored.seq, read.stored.turn_id, read.stored.created_at) == (seq, "turn_1", 5)
        assert exact({name: value for name, value in read.stored.item.items() if name != "id"}) == exact(item)


def split_item(seed: int, size: int = 900_000) -> dict[str, Any]:
    return {"type": "message", "text": noise(size, seed)}


@properties
@given(st.permutations(range(4)), st.integers(1, 2))
def test_pieces_of_other_items_are_not_taken(order: list[int], pieces: int) -> None:
    new = SPLIT_ROWS[2][: pieces + 1]
    old = {read_text(row, "sk"): row for row in SPLIT_ROWS[1]}
    mixed = list({**old, **{read_text(row, "sk"): row for row in new}}.values())
    shuffled = [mixed[place] for place in order]
    read = read_item(shuffled, INCARNATION)
    assert read is not None
    whole = len(new) == len(SPLIT_ROWS[2])
    assert read.whole == whole
    assert {name: value for name, value in read.stored.item.items() if name != "id"} == (
        split_item(2, 700_000) if whole else MARKER
    )


SPLIT_ROWS = {
    seed: item_rows(PK, INCARNATION, Turn(f"turn_{seed}", (split_item(seed, size),), 5), first_seq=7, expires_at=None)
    for seed, size in ((1, 900_000), (2, 700_000))
}


def test_pieces_without_an_item_are_nothing() -> None:
    assert read_item(SPLIT_ROWS[1][1:], INCARNATION) is None
    rows = item_rows(PK, INCARNATION, Turn("turn_3", ({"type": "message"},), 5), first_seq=7, expires_at=None)
    read = read_item([*rows, *SPLIT_ROWS[1][1:]], INCARNATION)
    assert read is not None
    assert read.stored.item == {"id": f"msg_{INCARNATION}000000000007", "type": "message"}


def test_rows_of_items_fit_dynamodb_and_tell_their_size() -> None:
    for row in (row for rows in SPLIT_ROWS.values() for row in rows):
        assert row_bytes(row) <= 409_600
        assert read_int(row, "bytes") <= row_bytes(row) <= read_int(row, "bytes") + 1_000


lasts = st.builds(
    LastTurn,
    fingerprint=texts,
    committed_at=seconds,
    first_seq=st.integers(0, 10**12),
    last_seq=st.integers(0, 10**12),
    inputs=st.integers(0, 100),
)
heads = st.builds(
    Head,
    address=st.just(HERE),
    incarnation=st.just(INCARNATION),
    seq=st.integers(0, 10**12),
    created_at=st.integers(0, 10**11),
    updated_at=seconds,
    items=st.integers(0, 10**12),
    messages=st.integers(0, 10**12),
    turns=st.integers(0, 10**12),
    metadata=st.dictionaries(texts, texts),
    memory=objects,
    system=st.none() | objects.filter(bool),
    anchor=st.none() | st.builds(Anchor, st.integers(0, 10**12), st.integers(0, 10**12)),
    edits=st.integers(0, 10**6),
    title=st.text(),
    last=st.none() | lasts,
)


@properties
@given(head=heads, provisional=st.booleans(), expires_at=st.none() | st.integers(1, 10**11))
def test_heads_come_back(head: Head, expires_at: int | None, *, provisional: bool) -> None:
    row = head_row(head, provisional=provisional, expires_at=expires_at)
    if head.last is not None:
        row["last"] = last_turn(head.last)
    if head.system is not None:
        row["system"] = packed(head.system)
    assert exact(head_from_row(row, "user")) == exact(head)
    shown = replace(head, seq=0, system=None, anchor=BEGINNING, edits=0, last=None)
    assert exact(listed_head(row, "user")) == exact(shown)
    assert is_visible(row, 0) is not provisional
    assert (read_text(row, "owner") == "user") is not provisional


@properties
@given(seconds, seconds, st.text("ab-", min_size=1), st.text("ab-", min_size=1))
def test_activity_sorts_by_time(one: float, two: float, first: str, second: str) -> None:
    if int(one * 1000) != int(two * 1000):
        assert (activity(one, first) < activity(two, second)) == (one < two)
    assert (activity(one, first) == activity(one, second)) == (first == second)


@properties
@given(objects, st.text(min_size=1), st.text(), st.integers(0, 10**11))
def test_records_come_back(snapshot: dict[str, Any], route: str, key: str, expires_at: int) -> None:
    name = IdempotencyKey("user", route, key)
    record = IdempotencyRecord(name, "f" * 64, "chat", INCARNATION, 3, 5, 1, expires_at, snapshot)
    row, pointer = record_rows(record, 1_700_000_000.0)
    assert exact(record_from_row(name, row)) == exact(record)
    assert pointer["record"] == row["pk"]
    assert (pointer["incarnation"], pointer["expires_at"]) == (row["incarnation"], row["expires_at"])
    assert read_text(pointer, "pk") == PK
    assert is_expired(row, expires_at)
    assert not is_expired(row, expires_at - 1)


@properties
@given(st.lists(st.integers(0, 400_000), max_size=400))
def test_batches_keep_all_rows_in_order_and_fit_a_transaction(sizes: list[int]) -> None:
    cut = batches(sizes, lambda size: size)
    assert [size for batch in cut for size in batch] == sizes
    assert all(len(batch) <= BATCH_ROWS and sum(batch) <= BATCH_BYTES for batch in cut)
    assert all(cut) or cut == [[]]


def test_expressions_get_the_names_and_values_that_they_use() -> None:
    given_values = {"seq": number(1), "seq_now": number(2), "unused": number(3)}
    request = expressed(given_values, UpdateExpression="SET #seq = :seq_now", ConditionExpression="#seq = :seq")
    assert request == {
        "UpdateExpression": "SET #seq = :seq_now",
        "ConditionExpression": "#seq = :seq",
        "ExpressionAttributeNames": {"#seq": "seq"},
        "ExpressionAttributeValues": {":seq": number(1), ":seq_now": number(2)},
    }
    bare = expressed({}, ConditionExpression="attribute_not_exists(#pk)")
    assert bare == {
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": "pk"},
    }
