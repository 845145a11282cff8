"""``buffer``: the whole history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.memory.fields import PolicySpec
from chat_core.memory.fit import EVERYTHING
from chat_core.memory.windows import Window

if TYPE_CHECKING:
    from chat_core.memory.fit import Limit
    from chat_core.memory.policy import Counting
    from chat_core.messages import Message


@dataclass(frozen=True)
class Buffer(Window):
    """Everything, repaired; the provider refuses what no longer fits."""

    name = "buffer"

    @property
    def reach(self) -> None:
        """All."""

    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """No limit."""
        return EVERYTHING

    def widest(self, counting: Counting) -> Limit:
        """No limit."""
        return EVERYTHING


SPEC = PolicySpec("buffer", {}, lambda _values: Buffer())
