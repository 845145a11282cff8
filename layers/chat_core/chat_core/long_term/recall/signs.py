"""The signs of an embedding: one bit a dimension, which is enough to compare directions.

Two random hyperplane bits of vectors at an angle differ with probability angle / π (Charikar, STOC 2002), so the share
of bits that differ tells the cosine. In a search that ranks by words too nothing is lost by it
(``benchmarks/recall.py``), and a turn takes 64 bytes instead of 2,048.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def signs(embedding: Sequence[float]) -> int:
    """Write an embedding's signs as one number, the first dimension its highest bit; a positive one is a 1."""
    return int("".join(["1" if number > 0 else "0" for number in embedding]) or "0", 2)


@lru_cache(maxsize=8)
def cosines(dimensions: int) -> tuple[float, ...]:
    """Tell the cosine by how many of the signs differ, from 0 to all of them."""
    return tuple(math.cos(math.pi * differing / dimensions) for differing in range(dimensions + 1))


def combined(newest: Sequence[float], before: Sequence[float] | None, weight: float) -> list[float]:
    """Add to a unit vector a share of another, as long as it is there and of the same length."""
    if before is None or len(before) != len(newest):
        return list(newest)
    return [one + weight * other for one, other in zip(newest, before, strict=True)]
