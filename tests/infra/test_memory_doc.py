"""docs/memory.md has every field of every policy and add-on, with the default and the range that the code has."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from chat_core.long_term.recall import ranking
from chat_core.memory import add_ons, merge_settings, parse_policy
from chat_core.memory.fields import MAX_TEXT, Choice, Flag, Integer, Just, Names, Number, Text
from chat_core.memory.reasons import Reason
from chat_core.memory.registry import POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.memory.fields import Field

PAGE = (Path(__file__).parents[2] / "docs" / "memory.md").read_text(encoding="utf-8")
ADD_ON_FIELDS: Mapping[str, Mapping[str, Field]] = {name: made[0] for name, made in add_ons._MADE_OF.items()}
FIELDS: Mapping[str, Mapping[str, Field]] = {**{name: spec.fields for name, spec in POLICIES.items()}, **ADD_ON_FIELDS}


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_stands_with_its_default_and_range(name: str) -> None:
    told = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", _section(f"### `{name}`"), re.MULTILINE)
    usual = _usual(name)
    assert told == [(field, _default(one, usual.get(field)), _range(one)) for field, one in FIELDS[name].items()]


@pytest.mark.parametrize("name", FIELDS)
def test_every_policy_and_add_on_stands_in_the_chooser(name: str) -> None:
    assert f"`{name}`" in _section("## Which policy when")


def test_the_defaults_of_add_ons_are_those_that_hold() -> None:
    for name, known in ADD_ON_FIELDS.items():
        held = getattr(add_ons.parse_add_ons({name: True}), name)
        assert {one.name: getattr(held, one.name) for one in fields(held)} == {
            field: one.default for field, one in known.items()
        }


def test_every_reason_to_leave_out_is_told() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", _section("## Why something is not shown"), re.MULTILINE))
    assert told == {*get_args(Reason), *get_args(ranking.Reason)}


def test_the_settings_that_it_shows_are_settings() -> None:
    shown = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown
    for text in shown:
        parse_policy(merge_settings({}, json.loads(text)))


def _section(heading: str) -> str:
    """Give what stands below a heading, up to the next of its rank or a higher one."""
    rank = heading.index(" ")
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{rank}}} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def _usual(name: str) -> Mapping[str, int]:
    """Tell what a summary policy takes where its fields are not given: it depends on the policy, not on the field."""
    folding = parse_policy({"policy": name}).folding if name in ("summary", "summary_window") else None
    return {} if folding is None else {"trigger_tokens": folding.trigger, "keep": folding.keep}


def _default(field: Field, usual: int | None) -> str:
    if isinstance(field, Just):
        return _word(field.value)
    value: Any = field.default if field.default is not None else usual
    if value is None or value == ():
        return "none"
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else _word(value)


def _range(field: Field) -> str:
    match field:
        case Integer() | Number():
            return f"{field.least:,g} to {field.most:,.0f}"
        case Flag():
            return f"{_word(True)}, {_word(False)}"
        case Choice():
            return ", ".join(map(_word, field.options))
        case Just():
            return _word(field.value)
        case Text():
            return f"1 to {MAX_TEXT:,} characters"
        case Names():
            return f"at most {field.most} names"
    raise TypeError(type(field).__name__)


def _word(value: object) -> str:
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
