"""The view does not depend on what computed it: the whole history, the hot value or a rebuild of the tail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.hot.value import MemoryState, pack, unpack
from chat_core.memory import BEGINNING, Anchor, Counting, Earlier, MemoryPolicy, View, parse_policy, pinned_item
from chat_core.messages import Message, from_items, upstream_items
from tests.unit.memory.histories import (
    assistant,
    clean_turns,
    flat,
    messy_messages,
    numbered,
    reasoning,
    result,
    system,
    user,
)
from tests.unit.memory.test_windows import GRANULARITIES, tokens

if TYPE_CHECKING:
    from chat_core.messages import Item

COUNTING = Counting(count=tokens, overhead=3)
OPTIONAL_STEP = st.none() | st.integers(1, 7)
CLEARING = st.none() | st.builds(
    lambda trigger, keep: {"trigger_tokens": trigger, "keep": keep}, st.integers(1, 150), st.integers(0, 3)
)

SETTINGS = st.one_of(
    st.builds(
        lambda most, granularity, step, clearing: {
            "policy": "message_window",
            "max_messages": most,
            "granularity": granularity,
            "evict_step_messages": step and min(step, most),
            "clear_tool_results": clearing,
        },
        st.integers(1, 14),
        GRANULARITIES,
        OPTIONAL_STEP,
        CLEARING,
    ),
    st.builds(
        lambda most, granularity, step, clearing: {
            "policy": "token_window",
            "max_tokens": most,
            "granularity": granularity,
            "evict_step_tokens": step and min(step * 9, most),
            "clear_tool_results": clearing,
        },
        st.integers(1, 200),
        GRANULARITIES,
        OPTIONAL_STEP,
        CLEARING,
    ),
    st.builds(lambda most: {"policy": "turn_window", "max_turns": most}, st.integers(1, 4)),
)

commits = st.lists(st.one_of(clean_turns(), st.lists(messy_messages, min_size=1, max_size=6)), min_size=1, max_size=10)
"""What is committed at once, in order."""


SYSTEM_PARTS = (
    {"type": "input_text", "text": "A"},
    {"type": "input_text", "text": ""},
    {"type": "input_image", "image_url": "data:,1"},
    {"type": "input_image", "image_url": "data:,2"},
)
spoken = st.one_of(
    st.builds(user),
    st.builds(assistant),
    st.builds(system, st.sampled_from(("A", "B", ""))),
    st.builds(lambda *parts: Message("system", parts), st.sampled_from(SYSTEM_PARTS)),
)


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
        past, earlier = self.past(hot=hot)
        after = numbered([*self.messages, *added])
        new = after[len(self.messages) :]
        kept = policy.keep((*past, *new), earlier=earlier, counting=COUNTING)
        self.messages = after
        self.system = pinned_item(added, self.system)
        self.anchor = kept.anchor
        self.value = pack(MemoryState("0" * 16, after[-1].seq, 0, kept))

    def past(self, *, hot: bool) -> tuple[tuple[Message, ...], Earlier]:
        """Read the hot value, or else no more than a turn whose own settings needed next to nothing."""
        if hot and self.value is not None:
            state = unpack(self.value)
            assert state is not None
            return state.kept.messages, replace(state.kept.earlier, anchor=self.anchor)
        return self.tail(1)

    def tail(self, limit: int | None) -> tuple[tuple[Message, ...], Earlier]:
        whole = limit is None or limit >= len(self.messages)
        found = self.messages if whole else self.messages[-(limit or 0) :]
        self.reads += len(found)
        return found, Earlier(whole=whole, count=len(self.messages) - len(found), anchor=self.anchor)

    def view(self, policy: MemoryPolicy, added: list[Message], *, hot: bool = False, reach: int | None = 1) -> View:
        past, earlier = self.past(hot=True) if hot and self.value else self.tail(reach)
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


@given(commits, SETTINGS, st.lists(messy_messages, max_size=3), st.lists(st.booleans(), min_size=10, max_size=10))
def test_hot_value_and_rebuild_give_the_view_of_the_whole_history(
    turns: list[list[Message]], settings: dict[str, Any], added: list[Message], hot: list[bool]
) -> None:
    policy = parse_policy(settings)
    conversation = Conversation()
    for turn, warm in zip(turns, hot, strict=False):
        whole = conversation.view(policy, turn, reach=None)
        assert shown(conversation.view(policy, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(policy, turn)) == shown(whole)
        conversation.commit(turn, policy, hot=warm)
    whole = conversation.view(policy, added, reach=None)
    assert shown(conversation.view(policy, added, hot=True)) == shown(whole)
    assert shown(conversation.view(policy, added)) == shown(whole)
    assert shown(policy.view((*conversation.messages, *added), inputs=len(added), counting=COUNTING)) == shown(whole)


@given(st.lists(st.lists(spoken, min_size=1, max_size=3), min_size=2, max_size=6), st.integers(1, 6), st.booleans())
def test_whatever_a_system_message_holds_every_path_shows_the_one_that_is_pinned(
    turns: list[list[Message]], most: int, hot: bool
) -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": most})
    conversation = Conversation()
    for turn in turns:
        whole = conversation.view(policy, turn, reach=None)
        assert shown(conversation.view(policy, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(policy, turn)) == shown(whole)
        conversation.commit(turn, policy, hot=hot)


@given(commits, SETTINGS, st.lists(messy_messages, max_size=3))
def test_messages_that_came_one_by_one_and_at_once_give_one_view(
    turns: list[list[Message]], settings: dict[str, Any], added: list[Message]
) -> None:
    policy = parse_policy(settings)
    one_by_one, at_once = Conversation(), Conversation()
    for message in flat(turns):
        one_by_one.commit([message], policy, hot=True)
    at_once.commit(flat(turns), policy, hot=True)
    views = [
        conversation.view(policy, added, hot=hot) for conversation in (one_by_one, at_once) for hot in (True, False)
    ]
    assert [shown(view) for view in views] == [shown(views[0])] * 4


@given(commits, SETTINGS, SETTINGS)
def test_an_override_has_one_view_and_leaves_no_trace(
    turns: list[list[Message]], settings: dict[str, Any], override: dict[str, Any]
) -> None:
    policy, other = parse_policy(settings), parse_policy(override)
    plain, overridden = Conversation(), Conversation()
    for turn in turns:
        assert shown(overridden.view(other, turn, hot=True)) == shown(overridden.view(other, turn))
        plain.commit(turn, policy, hot=True)
        overridden.commit(turn, policy, hot=True)
    assert (plain.value, plain.anchor) == (overridden.value, overridden.anchor)


@pytest.mark.parametrize("placeholder", ["x", "a placeholder that takes more than the result"])
@pytest.mark.parametrize(("stored", "override"), [("clearing", "plain"), ("plain", "clearing"), ("other", "clearing")])
def test_sizes_with_a_placeholder_are_not_taken_for_others(placeholder: str, stored: str, override: str) -> None:
    clearing = {"clear_tool_results": {"trigger_tokens": 1, "keep": 0, "placeholder": placeholder}}
    window = {"policy": "token_window", "on_overflow": "keep"}
    others = {"clear_tool_results": {"trigger_tokens": 1, "keep": 0}}
    added: dict[str, Any] = {"plain": {}, "clearing": clearing, "other": others}
    policy = parse_policy({**window, "max_tokens": 40, **added[stored]})
    tools = [user("hi"), assistant(None, "a", "b", "c"), result("a"), result("b"), result("c"), assistant("hi")]
    for most in range(30, 250, 6):
        other = parse_policy({**window, "max_tokens": most, **added[override]})
        conversation = Conversation()
        for turn in [tools, *talk(8)]:
            assert shown(conversation.view(other, turn, hot=True)) == shown(conversation.view(other, turn, reach=None))
            conversation.commit(turn, policy, hot=True)


@given(commits, SETTINGS, SETTINGS)
def test_a_changed_policy_works_at_once_on_every_path(
    turns: list[list[Message]], settings: dict[str, Any], changed: dict[str, Any]
) -> None:
    before, after = parse_policy(settings), parse_policy(changed)
    conversation = Conversation()
    for turn in turns[: len(turns) // 2]:
        conversation.commit(turn, before, hot=True)
    conversation.anchor = None  # as the settings' change leaves the head
    for turn in turns[len(turns) // 2 :]:
        whole = conversation.view(after, turn, reach=None)
        assert shown(conversation.view(after, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(after, turn)) == shown(whole)
        conversation.commit(turn, after, hot=True)


def talk(turns: int) -> list[list[Message]]:
    return [[user(f"question {turn}"), assistant(f"answer {turn}")] for turn in range(turns)]


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "message_window"},
        {"policy": "message_window", "evict_step_messages": 6},
        {"policy": "message_window", "granularity": "message"},
        {"policy": "turn_window"},
        {"policy": "token_window", "max_tokens": 300},
        {"policy": "token_window", "max_tokens": 300, "evict_step_tokens": 100},
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()),
)
def test_what_is_kept_and_read_does_not_grow_with_the_history(settings: dict[str, Any]) -> None:
    policy = parse_policy(settings)
    conversation = Conversation()
    sizes: dict[int, tuple[int, int]] = {}
    for turn, added in enumerate(talk(200)):
        view = conversation.view(policy, added[:1], hot=True)
        conversation.commit(added, policy, hot=True)
        if turn in (50, 199):
            hot_reads = conversation.reads
            conversation.view(policy, added[:1], reach=policy.reach)
            assert hot_reads == 0, "a hot turn reads nothing"
            sizes[turn] = len(conversation.value or b""), conversation.reads
            conversation.reads = 0
        assert not view.short
    assert sizes[199][0] <= 1.1 * sizes[50][0]
    assert sizes[199][1] <= 1.1 * sizes[50][1]


def test_a_long_tool_loop_is_as_flat_as_a_long_talk() -> None:
    policy = parse_policy({"policy": "message_window"})
    conversation = Conversation()
    sizes = []
    conversation.commit([user("go"), assistant(None, "c0")], policy, hot=True)
    for step in range(120):
        added = [result(f"c{step}")]
        view = conversation.view(policy, added, hot=True)
        assert view.messages[0].text == "go"
        assert view.retained <= 20
        conversation.commit([*added, assistant(None, f"c{step + 1}")], policy, hot=True)
        sizes.append(len(conversation.value or b""))
    conversation.commit([result("c120"), assistant()], policy, hot=True)
    assert conversation.view(policy, [user("next")], hot=True).retained == 1
    assert conversation.reads == 0
    assert sizes[-1] <= 1.1 * sizes[50]


def test_turns_that_reason_are_served_by_the_hot_value() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 10, "granularity": "message"})
    conversation = Conversation()
    for _ in range(20):
        turn = [user(), reasoning(), assistant(None, "c"), result("c"), reasoning(), assistant()]
        conversation.view(policy, turn[:1], hot=True)
        conversation.commit(turn, policy, hot=True)
    assert conversation.reads == 0


@pytest.mark.parametrize("step", [None, 70])
def test_a_talk_full_of_tool_results_is_served_by_the_hot_value(step: int | None) -> None:
    clearing = {"trigger_tokens": 1, "keep": 2}
    policy = parse_policy(
        {"policy": "token_window", "max_tokens": 400, "evict_step_tokens": step, "clear_tool_results": clearing}
    )
    conversation = Conversation()
    for number in range(30):
        conversation.commit([user(), assistant(None, f"c{number}")], policy, hot=True)
        answer = result(f"c{number}", "x" * (10 + 7 * (number % 5)))
        view = conversation.view(policy, [answer], hot=True)
        assert conversation.reads == 0
        assert shown(view) == shown(conversation.view(policy, [answer], reach=None))
        conversation.reads = 0
        conversation.commit([answer, assistant()], policy, hot=True)


def test_places_are_those_of_the_stored_messages_whatever_is_cleared() -> None:
    clearing = {"trigger_tokens": 1, "keep": 2}
    policy = parse_policy(
        {"policy": "token_window", "max_tokens": 150, "evict_step_tokens": 70, "clear_tool_results": clearing}
    )
    conversation = Conversation()
    for number in range(30):
        exchange = [assistant(None, f"c{number}"), result(f"c{number}", "x" * 37)] if number < 4 else []
        turn = [user(), *exchange, assistant()]
        view = conversation.view(policy, turn[:1], hot=True)
        whole = policy.view((*conversation.messages, turn[0]), inputs=1, counting=COUNTING)
        assert shown(view) == shown(whole)
        conversation.commit(turn, policy, hot=True)


def test_items_that_came_without_a_turn_are_counted_from_the_conversations_start() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 6, "evict_step_messages": 4})
    conversation = Conversation()
    conversation.messages = numbered(flat(talk(9)))
    added = [user("next")]
    view = conversation.view(policy, added, reach=policy.reach)
    assert shown(view) == shown(policy.view((*conversation.messages, *added), counting=COUNTING, inputs=1))
    assert view.messages[0].seq == 17


def test_the_window_holds_no_more_than_the_next_view_may_need() -> None:
    policy = parse_policy({"policy": "message_window"})
    history = numbered(flat(talk(100)))
    assert len(policy.keep(history).messages) == 18
    by_message = parse_policy({"policy": "message_window", "granularity": "message"})
    assert len(by_message.keep(history).messages) == 19


def test_without_an_anchor_a_view_is_cut_exactly_and_the_commit_sets_one() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 6, "evict_step_messages": 4})
    history = numbered(flat(talk(7)))
    unset = Earlier(whole=False, count=0, anchor=None)
    assert policy.view(history[2:], earlier=unset).retained == 6
    kept = policy.keep(history[2:], earlier=unset)
    assert kept.anchor == Anchor(kept.messages[0].seq, 0)
