"""Texts and dates of a fact."""

from __future__ import annotations

import pytest

from chat_core.long_term.facts.words import one_line, valid_date


def test_one_line_takes_control_characters_away() -> None:
    assert one_line(" a\u202e\nb\t c\x00") == "a b c"


@pytest.mark.parametrize("text", ["2026", "2026-05", "2026-05-01"])
def test_dates_and_their_beginnings(text: str) -> None:
    assert valid_date(text) == text
    assert valid_date(f" {text} ") == text


def test_of_a_time_the_day_is_kept() -> None:
    assert valid_date("2026-05-01T10:00:00Z") == "2026-05-01"


@pytest.mark.parametrize("text", [None, "", "May", "2026-13", "2026-00-01", "26-05", "2026-5", "２０２６"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert valid_date(text) is None
