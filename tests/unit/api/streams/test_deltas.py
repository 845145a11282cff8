"""A text in pieces: nothing lost, no character torn, each token's log-probability with its text."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.api.streams.deltas import deltas
from chat_core.api.streams.graphemes import is_border

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
WHOLE = [
    "e\u0301",  # a letter and its accent
    "か\u3099",
    "ﾊﾟ",
    "葛\U000e0100",  # a variant of an ideograph
    FAMILY,
    "👍🏽",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "🇯🇵",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\u1112\u1161\u11ab",  # a syllable of Hangul in its parts
    "하\u11ab",
    "क्ष",
    "நி",
    "กำ",
    "\r\n",
]
texts = st.lists(st.sampled_from([*WHOLE, "word ", "日本語", " "]) | st.text(max_size=8), max_size=60).map("".join)


def entry(token: bytes, *, spelled: bool = True) -> dict[str, Any]:
    text = token.decode("utf-8", "replace")
    return {"token": text, "bytes": list(token) if spelled else None, "logprob": -0.5, "top_logprobs": []}


@st.composite
def tokenised(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """A text and its tokens, which may end inside a character as those of a byte-level tokeniser do."""
    text = draw(texts)
    left, tokens = text.encode(), []
    while left:
        size = draw(st.integers(1, 9))
        tokens.append(entry(left[:size]))
        left = left[size:]
    return text, tokens


@pytest.mark.parametrize("whole", WHOLE)
def test_what_a_reader_sees_as_one_character_has_no_border_inside(whole: str) -> None:
    assert not any(is_border(whole, at) for at in range(1, len(whole)))
    between = f"あ{whole}あ"
    assert is_border(between, 1)
    assert is_border(between, len(between) - 1)


def test_flags_are_cut_between_pairs() -> None:
    flags = "🇯🇵🇫🇷🇩🇪"
    assert [is_border(flags, at) for at in range(1, 6)] == [False, True, False, True, False]


@given(texts)
def test_pieces_joined_are_the_text_and_are_cut_at_borders(text: str) -> None:
    pieces = [piece for piece, _ in deltas(text)]
    assert "".join(pieces) == text
    assert all(pieces)
    assert not any(unicodedata.category(piece[0]) in {"Mn", "Me", "Mc", "Cf"} for piece in pieces[1:])
    assert not any(piece.endswith("\u200d") for piece in pieces[:-1])


@pytest.mark.parametrize("whole", WHOLE)
def test_no_piece_holds_half_of_a_character(whole: str) -> None:
    text = whole * 300
    pieces = [piece for piece, _ in deltas(text)]
    assert len(pieces) > 20
    assert all(piece == whole * (len(piece) // len(whole)) for piece in pieces)


def test_a_piece_ends_before_a_word() -> None:
    text = "The quick brown fox jumps over the lazy dog, and then once more."
    pieces = [piece for piece, _ in deltas(text)]
    assert len(pieces) > 3
    assert all(piece.startswith(" ") for piece in pieces[1:])


def test_a_long_text_has_not_more_pieces_than_an_answer_can_carry() -> None:
    for text in ("x" * 1_000_000, "word " * 200_000, "語" * 300_000, "🇯🇵" * 100_000, "a" + "\u0301" * 100_000):
        assert len(list(deltas(text))) <= 520


@given(tokenised())
def test_log_probabilities_come_with_their_text(given: tuple[str, list[dict[str, Any]]]) -> None:
    text, tokens = given
    told = list(deltas(text, tokens))
    assert "".join(piece for piece, _ in told) == text
    assert [entry for _, own in told for entry in own] == tokens
    for piece, own in told:
        assert bytes(byte for entry in own for byte in entry["bytes"]) == piece.encode()


@given(texts, st.lists(st.text(max_size=5).map(lambda token: entry(token.encode(), spelled=False)), max_size=9))
def test_no_log_probability_is_lost_when_the_tokens_do_not_spell_the_text(
    text: str, tokens: list[dict[str, Any]]
) -> None:
    told = list(deltas(text, tokens))
    assert "".join(piece for piece, _ in told) == text
    assert [entry for _, own in told for entry in own] == tokens
    if sum(len(entry["token"].encode()) for entry in tokens) != len(text.encode()):
        assert not any(own for _, own in told[:-1])


def test_an_empty_text_has_no_pieces() -> None:
    assert list(deltas("")) == []
    assert list(deltas("", [entry(b"x")])) == [("", [entry(b"x")])]
