"""Cutting many rows into transactions: DynamoDB takes 100 actions and 4 MB each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BATCH_ROWS = 90
"""Ten more places are for the head, an idempotency record and its pointer."""

BATCH_BYTES = 2_800_000
"""So that a large head and a large record fit beside them."""

T = TypeVar("T")


def batches(rows: Iterable[T], size: Callable[[T], int]) -> list[list[T]]:
    """Cut rows into batches that fit a transaction, in order; there is always one, if only an empty one.

    Parameters
    ----------
    size
        Tells a row's bytes.
    """
    cut: list[list[T]] = [[]]
    filled = 0
    for row in rows:
        added = size(row)
        if cut[-1] and (len(cut[-1]) == BATCH_ROWS or filled + added > BATCH_BYTES):
            cut.append([])
            filled = 0
        cut[-1].append(row)
        filled += added
    return cut
