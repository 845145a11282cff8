from __future__ import annotations

import pytest

from chat_core.errors import InvalidRequest
from chat_core.model import Patches, Tiles, check_model, model_of
from chat_core.model.catalog import _MODELS


@pytest.mark.parametrize("place", range(len(_MODELS)))
def test_every_row_of_the_table_can_be_reached(place: int) -> None:
    name = _MODELS[place].names.replace("*", "")
    assert model_of(name if name else "some-model-of-tomorrow") is _MODELS[place]


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("gpt-4", "gpt-4"),
        ("gpt-4-0613", "gpt-4-*"),
        ("gpt-4.1-2025-04-14", "gpt-4.1*"),
        ("gpt-4.9", "*"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o-mini*"),
        ("ft:", "*"),
        ("o3-mini", "o3*"),
        ("*", "*"),
        ("", "*"),
    ],
)
def test_a_model_is_found_by_its_name(name: str, names: str) -> None:
    assert model_of(name).names == names


def test_the_rule_for_images_goes_with_the_model() -> None:
    assert model_of("gpt-4.1-mini").images == Patches(1.62)
    assert model_of("gpt-4.1").images == Tiles(85, 170)


def test_models_are_bounded_only_where_there_is_a_list() -> None:
    check_model("gpt-4.1", frozenset())
    check_model("gpt-4.1", frozenset({"gpt-4.1"}))
    with pytest.raises(InvalidRequest) as caught:
        check_model("gpt-5", frozenset({"gpt-4.1"}))
    assert caught.value.param == "model"
