"""Texts as vectors, by the provider's embeddings; nothing of it is remembered here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from chat_core.cache import decode_embedding
from chat_core.errors import UpstreamError
from chat_core.long_term.recall import DIMENSIONS, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chat_core.model import ChatModel

Vector = tuple[float, ...]

TEXT_CHARACTERS = 6_000
"""Of a longer text its beginning is embedded: OpenAI takes 8,192 tokens, and of one turn more only blurs it."""

BATCH_TEXTS = 64
BATCH_CHARACTERS = 200_000
"""OpenAI takes 300,000 tokens a request."""


class Embedder:
    """Embeds texts with one model.

    Parameters
    ----------
    model
        The provider.
    name
        Of the embedding model; empty: there is none.
    """

    def __init__(self, model: ChatModel, name: str) -> None:
        self._model = model
        self.name = name

    @property
    def known(self) -> bool:
        """Whether its vectors may be compared; see `chat_core.long_term.recall.models`. Others are never asked for."""
        return scale_of(self.name) is not None

    async def vectors(self, texts: Sequence[str], *, timeout: float) -> tuple[Vector, ...]:
        """Embed texts, in order.

        Parameters
        ----------
        timeout
            Seconds for each request that it takes.

        Raises
        ------
        UpstreamRejected, UpstreamError, UpstreamTimeout
            As `chat_core.model.ChatModel.post` has them; ``UpstreamError`` as well when the answer is no vectors.
        """
        found: list[Vector] = []
        for batch in _batches(texts):
            body = {"model": self.name, "input": batch, "dimensions": DIMENSIONS, "encoding_format": "base64"}
            found += _vectors(await self._model.post("embeddings", body, timeout=timeout), count=len(batch))
        return tuple(found)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in (text[:TEXT_CHARACTERS] for text in texts):
        if batch and (len(batch) == BATCH_TEXTS or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _vectors(answer: Mapping[str, Any], *, count: int) -> list[Vector]:
    try:
        data = {int(one.get("index", place)): one["embedding"] for place, one in enumerate(answer["data"])}
        vectors = [_vector(data[place]) for place in range(count)]
    except (TypeError, KeyError, ValueError, AttributeError):
        vectors = []
    if len(vectors) != count or any(len(vector) != DIMENSIONS for vector in vectors):
        raise UpstreamError("The model's provider answered what is no embedding.")
    return vectors


def _vector(embedding: object) -> Vector:
    width, numbers = decode_embedding(embedding)
    return struct.unpack(f"<{len(numbers) // width}{'f' if width == 4 else 'd'}", numbers)
