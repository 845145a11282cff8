"""What a turn asks of recall: its words at once, its direction while the turn begins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chat_core.errors import ChatError
from chat_core.long_term.recall import DIMENSIONS, QueryVector, signs, stands_alone, weighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.long_term.query_vectors import QueryVectors
    from chat_core.messages import Message

EMBED_SECONDS = 0.3
"""What a turn waits for its vector, from when it was asked for."""


@dataclass
class Question:
    """The user's last message, and its vector once it is there.

    Parameters
    ----------
    user
        Whose it is.
    text
        Empty where the input has no message of the user's: then the one before it is what is asked.
    vectors
        Make vectors; None: words alone.
    keep
        Whether the vector is remembered: a turn that leaves no trace leaves none there.
    """

    user: str
    text: str
    vectors: QueryVectors | None
    keep: bool = True
    _embedding: asyncio.Task[Sequence[float]] | None = field(default=None, init=False)

    @classmethod
    def of(cls, user: str, inputs: Sequence[Message], vectors: QueryVectors | None, *, keep: bool = True) -> Question:
        """Take the question from a turn's input."""
        return cls(user, last_said(inputs), vectors if vectors is not None and vectors.known else None, keep)

    def start(self) -> None:
        """Begin to embed it, unless it says too little alone: then what was said before is needed."""
        if not self._is_short:
            self._embed(self.text)

    def words(self, previous: str) -> dict[int, float]:
        """Weigh its words, and those of the user's message before it."""
        return weighted(self.text, previous)

    async def vector(self, previous: str, *, fresh_from: float) -> QueryVector | None:
        """Wait for its direction, and no longer than 0.3 s since it was begun; None: it is late or failed."""
        if self.vectors is None:
            return None
        self._embed("\n".join(text for text in (previous, self.text) if text) if self._is_short else self.text)
        if self._embedding is None:
            return None
        try:
            found = await self._embedding
        except (ChatError, TimeoutError):
            return None
        return QueryVector(self.vectors.name, DIMENSIONS, signs(found), fresh_from)

    def close(self) -> None:
        """Give up what nobody waits for any more."""
        if self._embedding is not None and not self._embedding.cancel() and not self._embedding.cancelled():
            self._embedding.exception()  # known by whoever waited

    @property
    def _is_short(self) -> bool:
        return not stands_alone(self.text)

    def _embed(self, text: str) -> None:
        if self.vectors is not None and self._embedding is None and text:
            self._embedding = asyncio.ensure_future(self._within_time(self.vectors, text))

    async def _within_time(self, vectors: QueryVectors, text: str) -> Sequence[float]:
        async with asyncio.timeout(EMBED_SECONDS):
            return await vectors.vector(self.user, text, timeout=EMBED_SECONDS, keep=self.keep)


def last_said(messages: Sequence[Message]) -> str:
    """Give the text of the user's last message; empty where there is none."""
    return next((message.text.strip() for message in reversed(messages) if message.role == "user"), "")


class Shown(NamedTuple):
    """What a view has of the history without recall.

    Parameters
    ----------
    before
        Seq of the first item of the history that the view shows; None: it shows none.
    previous
        The user's message before the input.
    """

    before: int | None
    previous: str
