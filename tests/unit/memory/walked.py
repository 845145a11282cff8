"""A conversation on every path to its views: hot, rebuilt, whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.hot.value import MemoryState, pack, unpack
from chat_core.memory import BEGINNING, Anchor, Counting, Earlier, MemoryPolicy, View, has_late_results, pinned_item
from chat_core.messages import Message, from_items, upstream_items
from tests.unit.memory.histories import (
    assistant,
    numbered,
    user,
)
from tests.unit.memory.test_windows import tokens

if TYPE_CHECKING:
    from chat_core.messages import Item

COUNTING = Counting(count=tokens, overhead=3)


class Conversation:
    """A conversation as a store has it: its messages and what the head keeps. The system message is pinned there."""

    def __init__(self) -> None:
        self.messages: tuple[Message, ...] = ()
        self.anchor: Anchor | None = BEGINNING
        self.system: Item | None = None
        self.value: bytes | None = None
        self.reads = 0

    def commit(self, added: list[Message], policy: MemoryPolicy, *, hot: bool) -> None:
        """Commit a turn, with the value packed from what was at hand."""
        past, earlier = self.past(added, hot=hot)
        after = numbered([*self.messages, *added])
        new = after[len(self.messages) :]
        kept = policy.keep((*past, *new), earlier=earlier, counting=COUNTING)
        self.messages = after
        self.system = pinned_item(added, self.system)
        self.anchor = kept.anchor
        self.value = pack(MemoryState("0" * 16, after[-1].seq, 0, kept))

    def past(self, added: list[Message], *, hot: bool) -> tuple[tuple[Message, ...], Earlier]:
        """Read the hot value, or else no more than a turn whose own settings needed next to nothing."""
        if hot and self.value is not None:
            state = unpack(self.value)
            assert state is not None
            if has_late_results(state.kept.messages, added):
                return self.tail(1)
            return state.kept.messages, replace(state.kept.earlier, anchor=self.anchor)
        return self.tail(1)

    def tail(self, limit: int | None) -> tuple[tuple[Message, ...], Earlier]:
        whole = limit is None or limit >= len(self.messages)
        found = self.messages if whole else self.messages[-(limit or 0) :]
        self.reads += len(found)
        return found, Earlier(whole=whole, count=len(self.messages) - len(found), anchor=self.anchor)

    def view(self, policy: MemoryPolicy, added: list[Message], *, hot: bool = False, reach: int | None = 1) -> View:
        past, earlier = self.past(added, hot=True) if hot and self.value else self.tail(reach)
        pinned = from_items([self.system])[0] if self.system else None
        while True:
            view = policy.view((*past, *added), system=pinned, inputs=len(added), earlier=earlier, counting=COUNTING)
            if not view.short:
                return view
            past, earlier = self.tail(2 * max(len(past), 1))


def shown(view: View) -> tuple[Any, ...]:
    """What a caller sees of a view."""
    return (
        upstream_items(view.messages),
        dict(view.tokens),
        view.retained,
        view.evicted,
        view.over_budget,
        len(view.cleared),
        repr(view.refusal),
    )


def talk(turns: int) -> list[list[Message]]:
    return [[user(f"question {turn}"), assistant(f"answer {turn}")] for turn in range(turns)]
