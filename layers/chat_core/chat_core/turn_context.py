"""What the model gets in a turn: the memory policy's view, from the hot value or rebuilt from the durable tail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.formats.items import from_items, pinned_system, stored_item, stored_messages, upstream_items
from chat_core.memory import Anchor, Earlier
from chat_core.messages import Message
from chat_core.tool_results import check_tool_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.memory import Kept, MemoryPolicy, View
    from chat_core.memory.packed import MemoryState
    from chat_core.messages import Item
    from chat_core.ports import Head, HistoryStore

NO_ANCHOR = -1
"""`Head.window_start` after the memory settings changed: the next commit sets a new one."""

WHOLE_HISTORY = 1_000_000


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, and what is known of those before."""

    messages: tuple[Message, ...]
    earlier: Earlier


@dataclass(frozen=True, slots=True)
class TurnContext:
    """A turn's view of its conversation.

    Parameters
    ----------
    policy
        Name of the policy that computed it.
    view
        See `chat_core.memory.View`.
    past
        What it was computed from.
    given
        The caller's items as they are to be stored.
    system
        The pinned system message from now on.
    instructed
        Whether the turn's own instructions stand at the view's head: they go upstream by their own parameter.
    """

    policy: str
    view: View
    past: Past
    given: tuple[Item, ...]
    system: Item | None
    instructed: bool

    @property
    def input(self) -> list[Item]:
        """The items that go to the model."""
        return upstream_items(self.view.messages[1:] if self.instructed else self.view.messages)

    @property
    def report(self) -> dict[str, Any]:
        """Our member ``omoide.memory`` of the answer."""
        return {
            "policy": self.policy,
            "tokens": dict(self.view.tokens) or None,
            "retained": self.view.retained,
            "evicted": self.view.evicted,
            "over_budget": self.view.over_budget,
        }

    def keep(self, policy: MemoryPolicy, added: Sequence[Message]) -> Kept:
        """Choose what the next turn may need, once ``added`` is committed."""
        return policy.keep((*self.past.messages, *added), earlier=self.past.earlier)


async def turn_context(
    history: HistoryStore,
    user: str,
    head: Head,
    *,
    state: MemoryState | None,
    policy: MemoryPolicy,
    items: Sequence[Item],
    instructions: str | None,
) -> TurnContext:
    """Compute a turn's view.

    Parameters
    ----------
    head
        The conversation as the lease found it.
    state
        Its memory value, if it is believed.
    policy
        The turn's.
    items
        The caller's input.

    Raises
    ------
    InvalidRequest
        If an item is a tool result without its call, or the policy refuses what does not fit.
    """
    given = tuple(stored_item(item) for item in items)
    added = from_items(given)
    pinned = from_items([head.system])[0] if head.system else None
    own = Message("system", content=instructions) if instructions else None
    past = Past(state.kept.messages, state.kept.earlier) if state else await _tail(history, user, head, policy.reach)
    while True:
        view = policy.view(
            (*past.messages, *added), system=pinned, instructions=own, inputs=len(added), earlier=past.earlier
        )
        if not view.short:
            break
        past = await _tail(history, user, head, 2 * max(len(past.messages), 8))
    check_tool_results(items, past.messages, at="input")
    if view.refusal is not None:
        raise view.refusal
    return TurnContext(
        policy=policy.name,
        view=view,
        past=past,
        given=given,
        system=pinned_system(given, head.system),
        instructed=own is not None,
    )


async def _tail(history: HistoryStore, user: str, head: Head, reach: int | None) -> Past:
    """Read the newest messages from the durable history."""
    limit = WHOLE_HISTORY if reach is None else reach
    stored = await history.tail(user, head, before=head.seq + 1, limit=limit) if head.seq else ()
    messages = stored_messages(stored)
    anchor = None if head.window_start == NO_ANCHOR else Anchor(head.window_start, head.window_position)
    whole = len(stored) < limit
    count = 0 if whole else max(head.messages - len(messages), 0)
    return Past(messages, Earlier(whole=whole, count=count, size=0 if whole else None, anchor=anchor))
