"""What a memory policy is: a pure function from the newest messages to the view that the model gets.

Where a view starts is a function of the history alone, so it does not matter which path computed it:

* A window without steps depends only on the newest messages. It is computed backwards from the end, so any tail that
  reaches beyond the window gives the same view as the whole history. A tail that does not is noticed: `View.short`.
* A window with steps starts at a fixed place until it has to move, and then at the next multiple of the step. Multiples
  are counted from the conversation's start over the messages as they are stored, system messages apart, so the place is
  absolute. `Anchor` ties a seq to its place; the commit keeps it on the durable head (`Kept.anchor`), hence a rebuild
  starts where the hot copy does. Without an anchor (the settings changed) a view is cut exactly, and the commit that
  follows sets one.
* A turn's own settings (an override) compute a view and nothing else: what is kept and where the anchor stands comes
  from the stored settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from chat_core.messages import BEGINNING, Anchor

if TYPE_CHECKING:
    from chat_core.errors import InvalidRequest
    from chat_core.memory.reasons import Reason
    from chat_core.messages import Message

Granularity = Literal["turn", "message"]
Overflow = Literal["keep", "error"]

Count = Callable[["Message"], int]
"""Tokens of one message; called with an empty ``id`` and ``seq`` 0 for messages that the view changed."""


def _nothing() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Counting:
    """How tokens are counted.

    Parameters
    ----------
    count
        Exact tokens of a message; None: nothing is counted, and `View.tokens` is empty.
    at_most
        An upper bound that needs no vocabulary; None where `count` is cheap.
    overhead
        Tokens of a request beside its messages and tools.
    tools
        Counts the request's tool definitions.
    tools_at_most
        An upper bound of ``tools`` that needs no vocabulary.
    as_stored
        Counts a message as the history has it, where `count` counts what stands in its place; None: `count` does.
    reduced
        Names what stands in the place of messages and takes no more than they do; empty: nothing does.
    window
        What the model takes, its answer taken off; None when that is not known.
    """

    count: Count | None = None
    at_most: Count | None = None
    overhead: int = 0
    tools: Callable[[], int] = _nothing
    tools_at_most: int = 0
    as_stored: Count | None = None
    reduced: str = ""
    window: int | None = None


UNCOUNTED = Counting()


@dataclass(frozen=True, slots=True)
class Notes:
    """What long-term memory tells a view of the history.

    Parameters
    ----------
    message
        What stands between the system message and the window; None when there is nothing to tell.
    covers_up_to
        Seq up to which the summary goes; 0 when there is none.
    forgotten_up_to
        Seq up to which the notes were made to forget; 0: nothing was.
    skipped
        Ranges that no summary could be made of: first and last seq, both inclusive.
    """

    message: Message | None = None
    covers_up_to: int = 0
    forgotten_up_to: int = 0
    skipped: tuple[tuple[int, int], ...] = ()


NO_NOTES = Notes()


@dataclass(frozen=True, slots=True)
class Folding:
    """When the oldest turns that a summary does not cover go into it.

    Parameters
    ----------
    trigger
        More than so much that is not covered starts a fold.
    keep
        Oldest whole turns go until the rest is at most so much.
    unit
        What both are: ``tokens`` or ``messages``.
    max_summary_tokens
        Most that the summary may take.
    or_messages
        More than so many messages start a fold, too; None: however many there are.
    """

    trigger: int
    keep: int
    unit: Literal["tokens", "messages"] = "tokens"
    max_summary_tokens: int = 400
    or_messages: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of the history before the messages at hand; the default: there is nothing.

    Parameters
    ----------
    whole
        Whether the messages at hand start with the conversation's first.
    count
        How many messages precede them, for `View.evicted`.
    size
        At least what the next older unit or turn would add. None: the messages at hand were cut anywhere, perhaps
        within a turn.
    measure
        In what ``size`` was measured; a policy that measures otherwise does not rely on it.
    pinned
        The user's message, and what else may not be left out, of a turn in whose middle the messages at hand start.
    anchor
        The place from which steps are counted; None when the head has none.
    notes
        What long-term memory tells.
    recalled
        What the input brings up of the history: it stands before the input.
    """

    whole: bool = True
    count: int = 0
    size: int | None = None
    measure: str = ""
    pinned: tuple[Message, ...] = ()
    anchor: Anchor | None = BEGINNING
    notes: Notes = NO_NOTES
    recalled: Message | None = None


NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a view does not hold of a message: all of it, or the calls named in ``message``."""

    message: Message
    reason: Reason


@dataclass(frozen=True)
class View:
    """What the model gets.

    Parameters
    ----------
    messages
        As they go to the model: the system message first, repaired, in order.
    tokens
        By part: ``system``, ``notes`` where there are any, ``history``, ``recalled`` where there is anything,
        ``input``, ``tools`` and ``total``, which includes the request's overhead.
        Empty when nothing was counted: no counter was given, or the bytes showed that all fits.
    retained, evicted
        How many messages it holds, and how many of the conversation it does not.
    over_budget
        Whether the part that may not be left out exceeds the limit.
    refusal
        The error to raise before the model is paid, when the policy refuses what is over budget.
    cut
        Whether the limit had no room for all.
    short
        Whether older messages than those at hand may belong to it: read more and compute it again.
    system
        The pinned system message from now on; the turn's instructions never are.
    cleared
        Ids of the tool results that gave way to a placeholder.
    notes, recalled
        Those of ``messages`` that long-term memory wrote, or None.
    explain
        Computes `left_out`.
    """

    messages: tuple[Message, ...]
    tokens: Mapping[str, int]
    retained: int
    evicted: int
    over_budget: bool = False
    refusal: InvalidRequest | None = None
    cut: bool = False
    short: bool = False
    system: Message | None = None
    cleared: tuple[str, ...] = ()
    notes: Message | None = None
    recalled: Message | None = None
    explain: Callable[[], tuple[LeftOut, ...]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What it does not hold of the messages at hand, in order, and why."""
        return self.explain()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the next view may need of the history: the packed memory value holds this and no more.

    Parameters
    ----------
    messages
        The newest messages, as they are stored.
    earlier
        What to pass with them to the next view.
    anchor
        For the head: `Head.anchor`. None for a policy without steps.
    """

    messages: tuple[Message, ...]
    earlier: Earlier
    anchor: Anchor | None = None


class MemoryPolicy(Protocol):
    """A rule that makes the view. Immutable: two with equal settings are equal."""

    @property
    def name(self) -> str:
        """As in the request object ``memory``."""
        ...

    @property
    def counts_tokens(self) -> bool:
        """Whether it needs a counter."""
        ...

    @property
    def reach(self) -> int | None:
        """How many of the newest messages to read first when a view is rebuilt; None: all. Double while short."""
        ...

    @property
    def folding(self) -> Folding | None:
        """When a summary takes in what the view has no room for; None for a policy without one."""
        ...

    @property
    def budget(self) -> int | None:
        """Tokens that a view may take; None for a policy that does not bound them."""
        ...

    def check_budget(self, *, least: int, most: int | None) -> None:
        """Check a budget of tokens against the conversation and the model that it is for.

        Parameters
        ----------
        least
            What the pinned system message and the request itself take.
        most
            The model's context window; None when it is not known.

        Raises
        ------
        InvalidRequest
            Naming the field and its range. A policy without such a budget has nothing to check.
        """
        ...

    def view(
        self,
        messages: Sequence[Message],
        *,
        system: Message | None = None,
        instructions: Message | None = None,
        inputs: int = 0,
        earlier: Earlier = NOTHING_EARLIER,
        counting: Counting = UNCOUNTED,
    ) -> View:
        """Compute what the model gets. Never raises for what a history holds, and changes nothing.

        Parameters
        ----------
        messages
            The newest messages of the history, then the turn's input, in order.
        system
            The system message that was pinned before the first of ``messages``, or after any of the history.
        instructions
            The turn's own: they stand in for the pinned system message.
        inputs
            How many of the last messages are the turn's input.
        earlier
            What precedes ``messages``.
        counting
            How tokens are counted.
        """
        ...

    def keep(
        self, messages: Sequence[Message], *, earlier: Earlier = NOTHING_EARLIER, counting: Counting = UNCOUNTED
    ) -> Kept:
        """Choose what to hold of a history for the view of the next turn, whatever its input, tools or instructions."""
        ...
