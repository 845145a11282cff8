from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.cache.envelope import Envelope, VectorEnvelope, draw_ttl, pack, pack_vector, unpack, unpack_vector
from chat_core.cache.vectors import decode_embedding, encode_embedding

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
FLOATS_32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(), JSON, max_size=5), st.integers(0, 2**31))
def test_an_answer_is_read_as_written(answer: dict[str, object], upstream_ms: int) -> None:
    envelope = Envelope(1000.5, 2000.25, upstream_ms, answer)
    assert unpack(pack(envelope)) == envelope


@given(st.binary(min_size=4, max_size=400).filter(lambda b: len(b) % 4 == 0), st.text(max_size=60))
def test_a_vector_is_read_as_written(numbers: bytes, model: str) -> None:
    envelope = VectorEnvelope(1000.5, 2000.25, 7, 11, model, 4, numbers)
    assert unpack_vector(pack_vector(envelope)) == envelope


@given(st.binary(max_size=200))
def test_what_is_no_value_of_ours_is_a_miss(value: bytes) -> None:
    unpack(value)
    unpack_vector(value)
    assert unpack(b"\x07" + value) is None
    assert unpack_vector(b"\x07" + value) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"answer": 1}', b'{"answer": {}}', b"\xff", b'{"answer": {}, "stored_at": "x"}', b"[" * 9999],
)
def test_a_damaged_value_is_a_miss(content: bytes) -> None:
    assert unpack(b"\x01" + content) is None
    assert unpack(b"\x02" + zlib.compress(content)) is None
    assert unpack(b"\x02" + content) is None


def test_a_value_is_compressed_where_that_is_smaller() -> None:
    long = Envelope(1.0, 2.0, 3, {"text": "思い出 " * 500})
    assert len(pack(long)) < 300
    assert pack(Envelope(1.0, 2.0, 3, {}))[:1] == b"\x01"


@given(st.integers(1, 86_400))
def test_a_time_to_live_is_up_to_a_tenth_shorter(ttl: int) -> None:
    assert 0.9 * ttl <= draw_ttl(ttl) <= ttl


@given(st.lists(FLOATS_32, min_size=1, max_size=20))
def test_floats_of_32_bits_are_told_alike_in_both_forms(floats: list[float]) -> None:
    width, numbers = decode_embedding(floats)
    assert (width, len(numbers)) == (4, 4 * len(floats))
    assert encode_embedding(width, numbers, "float") == floats
    text = encode_embedding(width, numbers, "base64")
    assert decode_embedding(text) == (4, numbers)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_floats_of_64_bits_lose_nothing(floats: list[float]) -> None:
    width, numbers = decode_embedding(floats)
    assert encode_embedding(width, numbers, "float") == floats
    text = encode_embedding(width, numbers, "base64")
    assert isinstance(text, str)
    assert decode_embedding(text)[1] == struct.pack(f"<{len(floats)}f", *floats)


@pytest.mark.parametrize("embedding", [None, "", "%%", "AAA=", [], ["1"], [True], [None], [1e400], {}])
def test_what_is_no_embedding_is_refused(embedding: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - every kind of it
        decode_embedding(embedding)
