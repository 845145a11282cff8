"""``token_window``: the newest messages, within a budget of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.errors import ContextBudgetExceeded
from chat_core.memory.fields import GRANULARITY, MAX_TOKENS, Choice, Integer, PolicySpec, check_step, refused
from chat_core.memory.fit import Limit
from chat_core.memory.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.errors import InvalidRequest
    from chat_core.memory.policy import Count, Counting, Earlier, Granularity, Overflow
    from chat_core.messages import Message


@dataclass(frozen=True)
class TokenWindow(Window):
    """What fits a budget of tokens, the system message and the request's overhead included.

    Parameters
    ----------
    max_tokens
        The budget, inclusive; tool definitions do not count. 0: the budget is what the context window leaves.
    context_window, reserve_output_tokens
        The model's, less the answer's share; the tool definitions come off it too.
    tool_schema_tokens
        What to take for the tool definitions; None: what the request's own take.
    granularity
        ``turn``: older turns go whole; ``message``: one message, or one exchange with tools, at a time.
    on_overflow
        What becomes of an active turn that is over budget: ``keep`` it and say so, or ``error``.
    evict_step_tokens
        How many go at once, so that the views of consecutive turns share a prefix; 0: no more than have to.
    """

    max_tokens: int = 0
    context_window: int = 0
    reserve_output_tokens: int = 0
    tool_schema_tokens: int | None = None
    granularity: Granularity = "turn"
    on_overflow: Overflow = "error"
    evict_step_tokens: int = 0

    name = "token_window"
    counts_tokens = True

    @property
    def reach(self) -> int:
        """A guess: what a message takes is not known before it is read."""
        return 32

    @property
    def budget(self) -> int:  # type: ignore[override]
        """See `MemoryPolicy.budget`; tool definitions may take some of it."""
        return self._budget(0)

    def check_budget(self, *, least: int, most: int | None) -> None:
        """See `MemoryPolicy.check_budget`; a budget that is too small is no error where what overflows is kept."""
        field, value, taken = "max_tokens", self.max_tokens, 0
        if not value:
            field, value = "context_window", self.context_window
            taken = self.reserve_output_tokens + (self.tool_schema_tokens or 0)
        lowest = taken + (least if self.on_overflow == "error" else 1)
        highest = MAX_TOKENS if most is None else most
        if not lowest <= value <= highest:
            raise refused(field, f"must be an integer from {lowest} to {highest} in this conversation")

    def limit(self, system: Message | None, counting: Counting) -> Limit:
        """Everything counts but, under ``max_tokens``, the tools."""
        fixed = counting.overhead + (0 if system is None else _counter(counting)(system))
        return self._limit(self._budget(counting.tools()), fixed, counting)

    def widest(self, counting: Counting) -> Limit:
        """Mind that the next turn may have no system message, no tools and an input of next to nothing."""
        return self._limit(self._budget(0), 0, counting)

    def _budget(self, tools: int) -> int:
        if self.tool_schema_tokens is not None:
            tools = self.tool_schema_tokens
        return self.max_tokens or self.context_window - self.reserve_output_tokens - tools

    def _limit(self, most: int, fixed: int, counting: Counting) -> Limit:
        count = _counter(counting)
        return Limit(
            most,
            count,
            fixed,
            by_turn=self.granularity == "turn",
            step=self.evict_step_tokens,
            unit="tokens",
            as_stored=counting.as_stored,
            reduced=counting.reduced,
        )

    def refusal(self, required: int, most: int) -> InvalidRequest | None:
        """Refuse unless asked not to."""
        if self.on_overflow == "keep":
            return None
        return ContextBudgetExceeded(required_tokens=required, budget_tokens=most)

    def surely_fits(
        self, messages: Sequence[Message], system: Message | None, earlier: Earlier, counting: Counting
    ) -> bool:
        """Add up the bounds: a text has at most as many tokens as bytes."""
        at_most = counting.at_most
        if at_most is None or not earlier.whole:
            return False
        left = self._budget(counting.tools_at_most) - counting.overhead - (0 if system is None else at_most(system))
        for message in messages:
            left -= at_most(message)
            if left < 0:
                return False
        return True


def _counter(counting: Counting) -> Count:
    if counting.count is None:
        message = "token_window needs a counter of tokens"
        raise ValueError(message)
    return counting.count


def _build(values: Mapping[str, Any]) -> TokenWindow:
    """Check the fields together: a budget is given either way, and is one."""
    given = {name: value for name, value in values.items() if value is not None}
    reserved = given.get("reserve_output_tokens", 0)
    tools = given.get("tool_schema_tokens", 0)
    if "max_tokens" in given:
        other = next((name for name in ("context_window", "reserve_output_tokens") if name in given), None)
        if other:
            raise refused(other, "cannot stand beside `max_tokens`: give one or the other")
        budget, bound = given["max_tokens"], "max_tokens"
    elif "context_window" in given:
        budget, bound = given["context_window"] - reserved - tools, "context_window"
        if budget < 1:
            most = given["context_window"] - tools - 1
            raise refused("reserve_output_tokens", f"must leave room in `context_window`: it may be at most {most}")
    else:
        raise refused("max_tokens", "is required, or `context_window` with `reserve_output_tokens` in its place")
    check_step(values, "evict_step_tokens", bound, budget)
    return TokenWindow(**given)


SPEC = PolicySpec(
    "token_window",
    {
        "max_tokens": Integer(1, MAX_TOKENS),
        "context_window": Integer(1, MAX_TOKENS),
        "reserve_output_tokens": Integer(0, MAX_TOKENS),
        "tool_schema_tokens": Integer(0, MAX_TOKENS),
        "granularity": GRANULARITY,
        "on_overflow": Choice(("error", "keep"), default="error"),
        "evict_step_tokens": Integer(1, MAX_TOKENS),
    },
    _build,
)
