"""``clear_tool_results``: old results of tools give way to a placeholder, alone or before a window cuts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from chat_core.memory.fields import MAX_MESSAGES, MAX_TOKENS, Integer, Names, PolicySpec, Text
from chat_core.memory.policies.buffer import Buffer
from chat_core.memory.policy import NOTHING_EARLIER, UNCOUNTED, Counting, Earlier, Folding, Kept, LeftOut, View
from chat_core.memory.units import units_backwards
from chat_core.memory.windows import Window, count_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.memory.policy import Count
    from chat_core.messages import Message

# Results whose output may be a text; that of `computer_call_output` may not.
_CLEARABLE = frozenset({None, "function_call_output", "custom_tool_call_output", "local_shell_call_output"})


@dataclass(frozen=True)
class ClearToolResults:
    """A window in which old tool results are cleared, so that messages and pairing stay and tokens go.

    It sets in when the view takes more than ``trigger_tokens``, or when a token budget has no room for all. Sizes in
    tokens of the cleared messages are those of the placeholder.

    Parameters
    ----------
    window
        Chooses the messages.
    trigger_tokens
        Exclusive; tool definitions do not count.
    newest
        So many of the newest results stay (the field ``keep``).
    placeholder
        What stands in their place, always the same: provider-side caches match prefixes.
    exclude_tools
        Tools whose results are never cleared.
    clear_at_least
        Oldest first, no more than it takes to clear so many tokens and to fit; 0: all that are not among the newest.
    """

    window: Window
    trigger_tokens: int = 100_000
    newest: int = 3
    placeholder: str = "[cleared]"
    exclude_tools: tuple[str, ...] = ()
    clear_at_least: int = 0

    @property
    def name(self) -> str:
        """The window's; alone, its own."""
        return "clear_tool_results" if isinstance(self.window, Buffer) else self.window.name

    @property
    def counts_tokens(self) -> bool:
        """Always: ``trigger_tokens`` is a count."""
        return True

    @property
    def reach(self) -> int | None:
        """The window's."""
        return self.window.reach

    @property
    def folding(self) -> Folding | None:
        """The window's."""
        return self.window.folding

    @property
    def budget(self) -> int | None:
        """The window's."""
        return self.window.budget

    def check_budget(self, *, least: int, most: int | None) -> None:
        """Check the window's."""
        self.window.check_budget(least=least, most=most)

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
        """See `MemoryPolicy.view`."""

        def through_window(counting: Counting) -> View:
            return self.window.view(
                messages, system=system, instructions=instructions, inputs=inputs, earlier=earlier, counting=counting
            )

        view = through_window(counting)
        had_to_cut = self.window.counts_tokens and (view.cut or view.over_budget)
        if not had_to_cut and not self._triggered(view, counting):
            return view
        clearable = self._clearable(messages, self.newest)
        view = through_window(self._counting_cleared(counting, clearable))
        chosen = self._choose(view, clearable, counting)
        if not chosen:
            return view
        cleared = tuple(message for message in view.messages if id(message) in chosen)
        explain = view.explain
        return replace(
            view,
            messages=tuple(self._clear(message) if id(message) in chosen else message for message in view.messages),
            tokens=count_parts(
                view.messages,
                instructions or view.system,
                messages[len(messages) - inputs :],
                self._counting_cleared(counting, chosen),
                beside=(view.notes, view.recalled),
            ),
            cleared=tuple(message.id for message in cleared),
            explain=lambda: (*explain(), *(LeftOut(message, "cleared") for message in cleared)),
        )

    def keep(
        self, messages: Sequence[Message], *, earlier: Earlier = NOTHING_EARLIER, counting: Counting = UNCOUNTED
    ) -> Kept:
        """See `MemoryPolicy.keep`: what is among the newest results now may be cleared one day, or stay."""
        if self.window.counts_tokens:
            count = _counter(counting)
            counting = self._counting_cleared(counting, self._clearable(messages, 0))
            count_cleared = _counter(counting)
            counting = replace(counting, count=lambda message: min(count(message), count_cleared(message)))
        return self.window.keep(messages, earlier=earlier, counting=counting)

    def _triggered(self, view: View, counting: Counting) -> bool:
        if counting.at_most is not None:
            bound = counting.overhead + sum(map(counting.at_most, view.messages))
            if bound <= self.trigger_tokens:
                return False
        return _total(view.messages, counting) > self.trigger_tokens

    def _clearable(self, messages: Sequence[Message], newest: int) -> frozenset[int]:
        """Identify the results at hand that may be cleared, by ``id()``."""
        found: list[int] = []
        left = newest
        for unit in units_backwards(messages):
            tools = {call.id: call.name for message in unit.messages for call in message.tool_calls}
            for message in reversed(unit.messages):
                if message.role != "tool":
                    continue
                if left:
                    left -= 1
                elif message.fields.get("type") in _CLEARABLE and tools[message.tool_call_id] not in self.exclude_tools:
                    found.append(id(message))
        return frozenset(found)

    def _choose(self, view: View, clearable: frozenset[int], counting: Counting) -> frozenset[int]:
        """Choose among what may be cleared in a view, oldest first."""
        candidates = [message for message in view.messages if id(message) in clearable]
        if not self.clear_at_least:
            return frozenset(map(id, candidates))
        needed = self.clear_at_least
        if self.window.counts_tokens:
            first = view.messages[0] if view.messages and view.messages[0].role == "system" else None
            budget = self.window.limit(first, counting).most
            needed = max(needed, _total(view.messages, counting) - budget)
        count = _counter(counting)
        chosen: set[int] = set()
        for message in candidates:
            if needed <= 0:
                break
            chosen.add(id(message))
            needed -= count(message) - count(self._placeholder(message))
        return frozenset(chosen)

    def _counting_cleared(self, counting: Counting, cleared: frozenset[int]) -> Counting:
        """Count with the placeholder in the place of what is cleared."""
        count = _counter(counting)

        def count_cleared(message: Message) -> int:
            return count(self._placeholder(message) if id(message) in cleared else message)

        return replace(
            counting,
            count=count_cleared,
            at_most=None,
            as_stored=counting.as_stored or count,
            reduced=self._reduced,
        )

    @cached_property
    def _reduced(self) -> str:
        """Tell these sizes from those of other placeholders, in few bytes: the memory value holds it."""
        return sha256("\0".join((self.placeholder, *self.exclude_tools)).encode()).hexdigest()[:8]

    def _clear(self, message: Message) -> Message:
        if "type" in message.fields:
            return replace(message, fields={**message.fields, "output": self.placeholder})
        return replace(message, content=self.placeholder)

    def _placeholder(self, message: Message) -> Message:
        """Clear a message to count it: who remembers counts by id must not take it for the result itself."""
        return replace(self._clear(message), id="", seq=0)


def _counter(counting: Counting) -> Count:
    if counting.count is None:
        message = "clear_tool_results needs a counter of tokens"
        raise ValueError(message)
    return counting.count


def _total(messages: Sequence[Message], counting: Counting) -> int:
    return counting.overhead + sum(map(_counter(counting), messages))


def _build(values: Mapping[str, Any], window: Window | None = None) -> ClearToolResults:
    return ClearToolResults(
        window or Buffer(),
        trigger_tokens=values["trigger_tokens"],
        newest=values["keep"],
        placeholder=values["placeholder"],
        exclude_tools=values["exclude_tools"],
        clear_at_least=values["clear_at_least"],
    )


SPEC = PolicySpec(
    "clear_tool_results",
    {
        "trigger_tokens": Integer(1, MAX_TOKENS, default=100_000),
        "keep": Integer(0, MAX_MESSAGES, default=3),
        "placeholder": Text(default="[cleared]"),
        "exclude_tools": Names(most=128),
        "clear_at_least": Integer(0, MAX_TOKENS, default=0),
    },
    _build,
    _build,
)
