"""Few bytes: no window makes a content longer than zlib's own, and every reader takes it."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.messages import compact, window_bits


def test_json_has_no_spaces_and_its_text_as_it_is() -> None:
    assert compact({"名前": ["直美", 1.5, None]}) == '{"名前":["直美",1.5,null]}'


def _content(size: int) -> bytes:
    """Make a content whose end repeats its beginning, so that the window has to reach over all of it."""
    rest = bytes(random.Random(size).choices(range(256), k=size))
    return rest[:300] + rest[300:-300] + rest[:300]


@given(st.integers(0, 70_000))
def test_a_window_reaches_over_the_whole_content(size: int) -> None:
    content = _content(size)
    written = zlib.compress(content, 6, wbits=window_bits(len(content)))
    assert zlib.decompress(written) == content
    assert len(written) == len(zlib.compress(content, 6))


@pytest.mark.parametrize(("size", "bits"), [(0, 9), (249, 9), (250, 10), (3_000, 12), (32_506, 15), (10_000_000, 15)])
def test_a_window_is_no_larger_than_that_needs(size: int, bits: int) -> None:
    assert window_bits(size) == bits
