"""Blocks of an index: what goes in comes out, nothing of a text is in them, and foreign bytes are no block."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.recall import Entry, Vectors, build, cut, digest, pack, signs, terms, unpack, without
from chat_core.long_term.recall.blocks import MOST_TERMS, MOST_TURNS

VECTORS = Vectors("text-embedding-3-small", 512, 1_700_000_000)
WORD = 2**24 - 1


def entries(bits: int | None) -> st.SearchStrategy[list[Entry]]:
    found: st.SearchStrategy[int | None] = st.none() if bits is None else st.integers(0, 2**bits - 1)
    entry = st.builds(
        Entry,
        seq=st.integers(1, 2**32 - 1),
        items=st.integers(1, 500),
        created_at=st.integers(0, 2**32 - 1),
        tokens=st.integers(0, 65_535),
        digest=st.integers(0, 2**32 - 1),
        terms=st.frozensets(st.integers(0, WORD), max_size=60),
        signs=found,
    )
    return st.lists(entry, min_size=1, max_size=MOST_TURNS, unique_by=lambda one: one.seq)


@given(entries(512))
def test_a_block_comes_back_as_it_was(turns: list[Entry]) -> None:
    block = build(turns, VECTORS)
    read = unpack(pack(block))
    assert read == block
    assert read is not None
    assert read.entries() == sorted(turns, key=lambda one: one.seq)


@given(entries(None))
def test_a_block_without_vectors_comes_back_as_it_was(turns: list[Entry]) -> None:
    read = unpack(pack(build(turns, None)))
    assert read == build(turns, None)
    assert read is not None
    assert read.vectors is None


@given(entries(16), st.data())
def test_a_turn_taken_out_leaves_no_trace(turns: list[Entry], data: st.DataObject) -> None:
    vectors = replace(VECTORS, dimensions=16)
    gone = data.draw(st.sampled_from(turns))
    left = without(build(turns, vectors), lambda one: one.seq == gone.seq)
    kept = [one for one in turns if one != gone]
    assert left == (build(kept, vectors) if kept else None)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_no_block(data: bytes) -> None:
    assert unpack(data) is None


def test_a_block_cut_short_is_none() -> None:
    data = pack(build([Entry(2, 2, 0, 10, 0, terms("my dog eats fish"), signs([1.0] * 512))], VECTORS))
    assert unpack(data) is not None
    for length in range(len(data)):
        assert unpack(data[:length]) is None


def test_a_block_of_another_version_is_none() -> None:
    data = pack(build([Entry(2, 2, 0, 10, 0, terms("my dog eats fish"))], None))
    assert unpack(bytes([data[0] + 1]) + data[1:]) is None


def test_a_block_holds_no_text() -> None:
    text = "my cat's name is Schrödinger"
    data = pack(build([Entry(2, 2, 0, 10, digest(text), terms(text), signs([0.5] * 512))], VECTORS))
    assert not any(word.encode() in data for word in text.split() if len(word) > 3)


def test_an_entry_without_a_vector_makes_a_block_that_is_searched_by_words() -> None:
    one = Entry(2, 2, 0, 10, 0, terms("a dog"), signs([1.0] * 512))
    assert build([one, replace(one, seq=4, signs=None)], VECTORS).vectors is None


def test_turns_are_cut_into_what_fits() -> None:
    short = [Entry(seq, 1, 0, 10, 0, frozenset({seq})) for seq in range(1, 131)]
    assert [len(group) for group in cut(reversed(short))] == [64, 64, 2]
    assert [one.seq for group in cut(reversed(short)) for one in group] == list(range(1, 131))
    long = [replace(one, terms=frozenset(range(MOST_TERMS // 2))) for one in short[:3]]
    assert [len(group) for group in cut(long)] == [2, 1]
    largest = build(long[:2], None)
    assert len(pack(largest)) < 100_000


@pytest.mark.parametrize("count", [0, MOST_TURNS + 1])
def test_a_block_has_at_least_one_turn_and_at_most_64(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        build([Entry(seq, 1, 0, 0, 0, frozenset()) for seq in range(1, count + 1)], None)
