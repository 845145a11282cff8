"""A model that stops in the middle of an answer until it is let go, however fast or slow the machine is."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.model.server import StandInModel

PATIENCE = 60.0


class Held:
    """Holds the model back before its fourth token.

    Attributes
    ----------
    reached
        Set when it is held.
    go
        Lets it go.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    def next_token(self, number: int) -> None:
        if number == 3:
            self.reached.set()
            assert self.go.wait(PATIENCE)


@contextmanager
def holding(model: StandInModel) -> Iterator[Held]:
    """Hold a model back in every answer of the block, at the latest until its end."""
    held = Held()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "next_token", held.next_token)
        try:
            yield held
        finally:
            held.go.set()
