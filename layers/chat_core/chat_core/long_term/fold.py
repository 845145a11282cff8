"""What a fold takes in: the oldest whole turns that the summary does not cover, cut to what the model is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.memory import Folding

INPUT_TOKENS = 8_000
"""Most that one call of the model is given to summarise, the previous summary included."""

BYTES_A_TOKEN = 4
"""Of a text in current vocabularies, from English to Japanese: an estimate that needs none."""

MESSAGE_BYTES = 4 * BYTES_A_TOKEN
"""What a message adds to its text, in the same measure."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What one call of the model takes in.

    Parameters
    ----------
    turns
        Whole, oldest first.
    partial
        Whether it is one turn alone that is larger than the model is given: its beginning and its end go in.
    """

    turns: tuple[T, ...]
    partial: bool = False


def is_due(sizes: Sequence[int], folding: Folding) -> bool:
    """Whether a fold is due of turns that take so much, each; the newest always stays."""
    return len(sizes) > 1 and sum(sizes) > folding.trigger


def due_turns(turns: Sequence[T], size: Callable[[T], int], folding: Folding) -> tuple[T, ...]:
    """Choose the oldest turns so that the rest takes at most what is to be kept, never the newest; none is due: none.

    Parameters
    ----------
    turns
        All that the summary does not cover, oldest first.
    size
        Of one turn, in the unit of the trigger.
    """
    sizes = [size(turn) for turn in turns]
    if not is_due(sizes, folding):
        return ()
    rest = sum(sizes)
    taken = 0
    while rest > folding.keep and taken < len(turns) - 1:
        rest -= sizes[taken]
        taken += 1
    return tuple(turns[:taken])


def batches(turns: Sequence[T], tokens: Callable[[T], int], *, limit: int) -> tuple[Batch[T], ...]:
    """Cut the turns that are due into successive calls of the model, oldest first.

    Parameters
    ----------
    tokens
        Of one turn, as the model is given it.
    limit
        Most tokens of one call, the previous summary taken off.
    """
    cut: list[Batch[T]] = []
    open_turns: list[T] = []
    filled = 0
    for turn in turns:
        size = tokens(turn)
        if open_turns and filled + size > limit:
            cut.append(Batch(tuple(open_turns)))
            open_turns, filled = [], 0
        if size > limit:
            cut.append(Batch((turn,), partial=True))
            continue
        open_turns.append(turn)
        filled += size
    return (*cut, Batch(tuple(open_turns))) if open_turns else tuple(cut)
