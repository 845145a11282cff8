"""The stand-in's vectors are near where texts have n-grams in common, and far where they have not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.model.embeddings import create


def vectors(*texts: Any, dimensions: int = 512) -> list[list[float]]:
    data = create({"model": "text-embedding-3-small", "input": list(texts), "dimensions": dimensions})["data"]
    return [entry["embedding"] for entry in data]


def cosine(one: str, other: str) -> float:
    first, second = vectors(one, other)
    return sum(a * b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("asked", "near", "far"),
    [
        ("what did I say about my dog's food?", "My dog's food is chicken and rice.", "The train to Oslo is late."),
        ("犬の餌は何だっけ？", "犬の餌はササミです。", "電車が遅れています。"),
        ("How do I reset my password?", "I forgot the password of my account.", "We had dinner by the sea."),
    ],
)
def test_what_is_about_the_same_is_near(asked: str, near: str, far: str) -> None:
    assert cosine(asked, near) > 0.3
    assert abs(cosine(asked, far)) < 0.2


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4), st.sampled_from([1, 7, 256, 512, 1536]))
def test_every_text_has_a_vector_of_length_1(texts: list[str], dimensions: int) -> None:
    for vector in vectors(*texts, dimensions=dimensions):
        assert len(vector) == dimensions
        assert math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-5)


@given(st.text(min_size=1))
def test_the_same_text_has_the_same_vector(text: str) -> None:
    [one], [other] = vectors(text), vectors(text)
    assert one == other


def test_tokens_have_vectors_of_their_own() -> None:
    [one, other, same] = vectors([1, 2, 3], [4, 5], [1, 2, 3])
    assert one == same != other
