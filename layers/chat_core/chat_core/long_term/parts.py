"""What the parts of long-term memory have in common: each looks at the same state, and has a pointer of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from chat_core.deadline import Deadline
from chat_core.errors import InvalidRequest
from chat_core.long_term.due import folding_of
from chat_core.long_term.fold import due_turns
from chat_core.long_term.turns import whole_turns
from chat_core.memory import merge_settings, parse_add_ons, parse_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Head
    from chat_core.long_term.fact_store import Found
    from chat_core.long_term.index import Addition
    from chat_core.long_term.records import Memory
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import AddOns, FactSettings, Folding
    from chat_core.messages import Message
    from chat_core.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class Settings:
    """What a conversation's stored settings ask of long-term memory.

    Parameters
    ----------
    summary
        When a summary takes turns in; None: there is none.
    folding
        When anything is due; None: nothing ever is.
    add_ons
        Which there are.
    """

    summary: Folding | None
    folding: Folding | None
    add_ons: AddOns

    @classmethod
    def of(cls, head: Head, default_memory: Mapping[str, Any]) -> Settings | None:
        """Read them; None where they are none that a policy has."""
        merged = merge_settings(default_memory, head.memory)
        try:
            policy, add_ons = parse_policy(merged), parse_add_ons(merged)
        except InvalidRequest:
            return None
        return cls(policy.folding, folding_of(policy, add_ons), add_ons)

    @property
    def facts(self) -> tuple[FactSettings, ...]:
        """Of the add-ons that show facts; empty where there is none."""
        return tuple(one for one in (self.add_ons.entities, self.add_ons.knowledge_graph) if one is not None)


class Measure:
    """Counts messages of one conversation, each once.

    Parameters
    ----------
    counter
        Counts as the model does.
    """

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self._known: dict[int, int] = {}

    def turn(self, turn: WholeTurn) -> int:
        """Count a turn's tokens."""
        return sum(map(self._message, turn.messages))

    def at_most(self, turn: WholeTurn) -> int:
        """Bound a turn's tokens by its bytes."""
        return sum(map(self._counter.at_most, turn.messages))

    def _message(self, message: Message) -> int:
        if message.seq not in self._known:
            self._known[message.seq] = self._counter.message(message)
        return self._known[message.seq]


@dataclass(frozen=True, slots=True)
class State:
    """What a fold is made of, as it was read: each fold makes the next one.

    Parameters
    ----------
    head, memory
        The conversation, and what is remembered of it; both have the same ``folds``.
    settings
        Of the conversation.
    messages
        All behind the pointer that is furthest behind.
    measure
        Counts them.
    quiet
        Whether nothing was said for long, and other conversations want what was: then the newest turn counts, too.
    """

    head: Head
    memory: Memory
    settings: Settings
    messages: tuple[Message, ...]
    measure: Measure
    quiet: bool = False

    def turns(self, behind: int) -> tuple[WholeTurn, ...]:
        """Cut what is behind a seq into turns."""
        return whole_turns([message for message in self.messages if message.seq > behind])

    def due(self, turns: tuple[WholeTurn, ...], folding: Folding) -> tuple[WholeTurn, ...]:
        """Choose the turns that are due, the oldest first; where the bytes show that none is, nothing is counted."""
        if folding.unit == "messages":
            return due_turns(turns, lambda turn: len(turn.messages), folding)
        if sum(map(self.measure.at_most, turns)) <= folding.trigger:
            return ()
        return due_turns(turns, self.measure.turn, folding)


@dataclass(frozen=True, slots=True)
class Step:
    """What a part makes of a fold.

    Parameters
    ----------
    change
        Of what is remembered; how often it was written is not the part's to count.
    moved
        Whether the part has gone on.
    again
        Whether there may be more for it to do right now.
    failed
        Whether it has to be tried again.
    added
        Turns that the index takes in.
    found
        Facts that turns tell.
    """

    change: Callable[[Memory], Memory] = field(default=lambda memory: memory)
    moved: bool = True
    again: bool = True
    failed: bool = False
    added: tuple[Addition, ...] = ()
    found: Found | None = None


Work = Callable[[Deadline], Awaitable[Step]]


class Part(Protocol):
    """A part of long-term memory."""

    def pointer(self, memory: Memory, settings: Settings) -> int | None:
        """Tell the seq up to which it has gone; None where the settings have no use for it."""
        ...

    def put_off(self, memory: Memory) -> float:
        """Tell the time before which it is not to be tried, since the last tries failed; 0: at once."""
        ...

    async def plan(self, state: State) -> Work | None:
        """Look for what is due, and read what it takes; what is returned asks the model, and no store of ours.

        Raises
        ------
        CommitConflict
            If the conversation has changed: it is to be read again.
        """
        ...
