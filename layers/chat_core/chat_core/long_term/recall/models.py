"""What is known of embedding models: whose vectors may be compared, and how much they say.

A cosine has no scale of its own: what one model gives two sentences about anything, another gives only to paraphrases.
So a floor belongs to a model, and a model that is not listed here has its vectors left alone: recall goes by words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DIMENSIONS = 512
"""Asked of a model that lets one ask (``dimensions`` of OpenAI's API)."""


class Scale(NamedTuple):
    """How the cosine and the words of a candidate add up, with one embedding model.

    Parameters
    ----------
    rank
        Share of the cosine in what orders the candidates; the words have the rest.
    gate
        Share of the cosine in what decides whether anything is shown.
    floor
        What the best candidate must reach on the gate.
    """

    rank: float = 0.3
    gate: float = 0.5
    floor: float = 0.23


WORDS = Scale(rank=0.0, gate=0.0, floor=0.17)
"""Where there is no cosine."""

SCALES: Mapping[str, Scale] = {
    # Measured by benchmarks/recall.py.
    "universal-sentence-encoder-multilingual": Scale(),
    # Not measured: their cosines of unrelated and of related texts are about as far apart as those of the one above.
    "text-embedding-3-small": Scale(),
    "text-embedding-3-large": Scale(),
}


def scale_of(model: str) -> Scale | None:
    """Look up a model; None for one that is not known, or for none."""
    return SCALES.get(model)
