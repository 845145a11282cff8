"""What every turn is made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chat_core.turns.keeping import Keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.cache import Replies
    from chat_core.history import Branches, History
    from chat_core.hot import HotCopies
    from chat_core.turns.lease import TurnLeases
    from chat_core.turns.sources import Sources


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What every turn is made with.

    Parameters
    ----------
    sources
        What a view is made of.
    leases
        Who may run a turn.
    hot
        The copies in the cache.
    replies
        The way to the model.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    branches
        Makes conversations of others.
    keeping
        How long answers are kept.
    """

    sources: Sources
    leases: TurnLeases
    hot: HotCopies
    replies: Replies
    default_memory: Mapping[str, Any]
    clock: Callable[[], float]
    branches: Branches
    keeping: Keeping = field(default_factory=Keeping)

    @property
    def history(self) -> History:
        """The source of truth."""
        return self.sources.history
