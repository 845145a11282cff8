"""The memory value: small, equal to what went in where it matters, and never a reason to fail."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.hot.value import KeptFacts, MemoryState, pack, unpack
from chat_core.memory import Earlier, Kept
from chat_core.messages.items import from_items, stored_item, upstream_items
from chat_core.messages.message import Message
from tests.unit.memory.histories import messy_histories, user

KEPT = Kept((user("hello"),), Earlier())
KNOWN = KeptFacts(3, 99, [["fact_1", "user", "名前", "渡辺直美", None, 7, 2]])
STATE = MemoryState("0123456789abcdef", 7, 2, KEPT, (64, 640), {}, "", 4, KNOWN)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
items = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant"]), st.text()),
    st.builds(lambda part: {"role": "user", "content": [part]}, st.dictionaries(st.text(max_size=4), json_values)),
    st.builds(lambda text: {"role": "developer", "content": text}, st.text(min_size=1)),
    st.builds(
        lambda name, arguments: {"type": "function_call", "call_id": "c", "name": name, "arguments": arguments},
        st.text(min_size=1),
        st.text(),
    ),
    st.builds(lambda output: {"type": "function_call_output", "call_id": "c", "output": output}, json_values),
    st.builds(lambda fields: {**fields, "type": "unheard_of"}, st.dictionaries(st.text(max_size=4), json_values)),
    st.just({"type": "reasoning", "summary": [], "encrypted_content": "b64"}),
)


@given(st.lists(items, max_size=12), st.integers(1, 10**6), st.lists(st.integers(0, 10**6), max_size=5))
def test_messages_survive_in_the_form_in_which_they_go_to_the_model(
    given_items: list[dict[str, object]], first: int, sizes: list[int]
) -> None:
    messages = from_items([stored_item(item) for item in given_items], first_seq=first, turn_id="turn_x")
    state = MemoryState("0" * 16, first + 20, 1, Kept(messages, Earlier(False, 3, 9, "x", messages[:1])), tuple(sizes))
    read = unpack(pack(state))
    assert read is not None
    assert upstream_items(read.kept.messages) == upstream_items(messages)
    assert [message.seq for message in read.kept.messages] == [message.seq for message in messages]
    assert upstream_items(read.kept.earlier.pinned) == upstream_items(messages[:1])
    assert (read.kept.earlier.whole, read.kept.earlier.count) == (False, 3)
    assert (read.kept.earlier.size, read.kept.earlier.measure) == (9, "x")
    assert (read.incarnation, read.seq, read.edits) == (state.incarnation, state.seq, state.edits)
    assert all(0 <= after - before < 64 for before, after in zip(sizes, read.hot_sizes, strict=True))


@given(messy_histories)
def test_what_was_read_is_written_and_read_the_same(messages: tuple[Message, ...]) -> None:
    tokens = {message.seq: message.seq % 7 for message in messages[::2]}
    once = unpack(pack(MemoryState("0" * 16, 1, 0, Kept(messages, Earlier()), (1, 65), tokens, "o200k_base")))
    assert once is not None
    assert unpack(pack(once)) == once
    assert once.tokens == tokens
    assert once.encoding == ("o200k_base")


@given(st.binary(max_size=200))
def test_junk_is_no_memory_value(data: bytes) -> None:
    assert unpack(data) is None
    assert unpack(b"\x10" + zlib.compress(data, wbits=-15)) is None
    assert unpack(b"\x11" + zlib.compress(data, wbits=-15)) is None


@pytest.mark.parametrize("text", ["[]", "[1,2,3]", '["a",1,0,["?x"],[],[],"",[true,0,null,"",[]]]', "[" * 100_000])
def test_json_that_is_no_state_is_no_memory_value(text: str) -> None:
    assert unpack(b"\x10" + zlib.compress(text.encode(), wbits=-15)) is None


def test_another_version_or_a_damaged_value_is_not_read() -> None:
    packed = pack(STATE)
    assert unpack(packed) is not None
    assert unpack(bytes([packed[0] + 0x10]) + packed[1:]) is None
    assert unpack(packed[:-1]) is None
    assert unpack(packed + b"\0") is None


def japanese(characters: random.Random, length: int) -> str:
    """Text that repeats nothing: the worst that a compressor can meet."""
    kanji = "".join(chr(characters.randrange(0x4E00, 0x9000)) for _ in range(length // 2))
    kana = "".join(chr(characters.randrange(0x3041, 0x3094)) for _ in range(length - length // 2))
    return "".join(characters.sample(kanji + kana, length))


def test_nineteen_japanese_messages_take_three_units_of_metering() -> None:
    characters = random.Random(7)
    turns = [
        stored_item(
            {"role": "user" if turn % 2 else "assistant", "content": japanese(characters, 42 if turn % 2 else 104)}
        )
        for turn in range(19)
    ]
    messages = from_items(turns, first_seq=82)
    sizes = tuple(characters.randrange(400, 800) for _ in range(100))
    earlier = Earlier(whole=False, count=81, size=2, measure="messages by turn")
    packed = pack(MemoryState("0123456789abcdef", 100, 0, Kept(messages, earlier), sizes))
    assert len(packed) <= 3 * 1024


def test_a_long_text_is_packed_once_and_half_a_surrogate_pair_is_mended() -> None:
    for text in ("語" * 70_000, "\ud83d", "a\ud83d語"):
        read = unpack(pack(MemoryState("0" * 16, 1, 0, Kept((Message("user", text, seq=1),), Earlier()))))
        assert read is not None
        assert read.kept.messages[0].content == text.replace("\ud83d", "\ufffd")
