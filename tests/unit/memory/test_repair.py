"""What is emitted of a history that others have written: rule R2, and system messages: rule R1."""

from __future__ import annotations

import pytest
from hypothesis import given

from chat_core.memory import parse_policy
from chat_core.memory.units import pinned_item, pinned_system, units_backwards
from chat_core.messages import from_items, stored_item, upstream_items
from chat_core.messages.message import Message
from tests.unit.memory.histories import (
    assistant,
    broken_rules_of_openai,
    messy_histories,
    numbered,
    other,
    reasoning,
    result,
    system,
    user,
)

BUFFER = parse_policy({"policy": "buffer"})


def emitted(*messages: Message) -> list[Message]:
    return [message for unit in reversed(list(units_backwards(messages))) for message in unit.messages]


def reasons(*messages: Message) -> list[tuple[Message, str]]:
    return [(left.message, left.reason) for left in BUFFER.view(messages).left_out]


def test_late_results_move_next_to_their_call_and_keep_their_order() -> None:
    calls, late, early = assistant(None, "c1", "c2"), result("c1"), result("c2")
    first, second, answer = user("1"), user("2"), assistant()
    assert emitted(first, calls, early, second, late, answer) == [first, calls, early, late, second, answer]


def test_a_second_result_and_one_without_a_call_are_left_out() -> None:
    orphan, second = result("x"), result("c1", "again")
    history = (orphan, user(), assistant(None, "c1"), result("c1"), second, assistant())
    assert emitted(*history) == [history[1], history[2], history[3], history[5]]
    assert reasons(*history) == [(orphan, "orphan"), (second, "duplicate")]


def test_a_result_that_stands_before_its_call_is_an_orphan() -> None:
    history = (user(), result("c1"), assistant(None, "c1"))
    assert emitted(*history) == [history[0], history[2]]


def test_calls_that_reuse_an_id_have_each_the_result_behind_them() -> None:
    history = (
        user(),
        assistant(None, "c1"),
        result("c1", "first"),
        assistant(),
        user(),
        assistant(None, "c1"),
        result("c1", "second"),
    )
    assert emitted(*history) == list(history)


def test_an_unanswered_call_is_stripped_unless_it_is_the_newest_exchange() -> None:
    pending = assistant(None, "c1", "c2")
    assert emitted(user(), pending, result("c1")) == [user(), pending, result("c1")]
    stripped, left = assistant("so", "c1", "c2"), assistant(None, "c2")
    found = emitted(user(), stripped, result("c1"), user())
    assert found[1].tool_calls == stripped.tool_calls[:1]
    assert found[1].content == "so"
    gone = reasons(user(), stripped, result("c1"), user())
    assert [(message.tool_calls, reason) for message, reason in gone] == [(left.tool_calls, "unanswered")]


def test_a_message_with_nothing_but_an_unanswered_call_goes_with_its_reasoning() -> None:
    call = assistant(None, "c1")
    assert emitted(user(), reasoning(), call, user()) == [user(), user()]
    assert reasons(user(), reasoning(), call, user()) == [(reasoning(), "reasoning"), (call, "unanswered")]


def test_calls_in_a_row_are_one_exchange_and_those_behind_a_text_are_another() -> None:
    row = (user(), assistant(None, "c1"), assistant(None, "c2"), result("c1"), result("c2"))
    assert emitted(*row) == list(row)
    text = (user(), assistant(None, "c1"), assistant("wait", "c2"), result("c1"), result("c2"))
    assert emitted(*text) == [text[0], text[1], text[3], text[2], text[4]]


def test_reasoning_and_other_items_stand_with_what_they_led_to() -> None:
    history = (user(), reasoning(), other(), assistant(), user())
    assert [len(unit.messages) for unit in units_backwards(history)] == [1, 3, 1]
    assert emitted(user(), reasoning()) == [user()]
    assert emitted(user(), reasoning(), other()) == [user(), reasoning(), other()]
    assert emitted(user(), reasoning(readable=False), assistant()) == [user(), assistant()]


def test_what_no_provider_takes_is_left_out() -> None:
    critic, empty = Message("other", "?", fields={"role": "critic"}), Message("assistant", ())
    assert reasons(critic, empty, user()) == [(critic, "unknown_role"), (empty, "empty")]
    (question,) = emitted(Message("user", None))
    assert question.content == ""


@pytest.mark.parametrize(
    ("texts", "place"),
    [(("A", "A"), 0), (("A", "B"), 1), (("A", "B", "A"), 2), (("A", "", "A"), 0), (("", ""), None)],
)
def test_one_system_message_is_pinned(texts: tuple[str, ...], place: int | None) -> None:
    history = numbered((*map(system, texts), user()))
    view = BUFFER.view(history)
    if place is None:
        assert view.system is None
        assert view.messages == history[-1:]
    else:
        assert view.messages == (history[place], history[-1])
        assert pinned_system(history) is history[place]
    assert len(view.left_out) == len(history) - len(view.messages)


def test_the_item_that_is_pinned_is_replaced_by_one_that_says_else() -> None:
    brief = stored_item({"role": "system", "content": "Be brief."})
    same = stored_item({"role": "developer", "content": "Be brief."})
    other_text = stored_item({"role": "developer", "content": "Be kind."})
    image = stored_item({"role": "developer", "content": [{"type": "input_image", "image_url": "data:,"}]})
    empty = stored_item({"role": "system", "content": ""})
    asked = stored_item({"role": "user", "content": "hi"})
    assert pinned_item(from_items([asked]), None) is None
    assert pinned_item(from_items([brief, asked]), None) == brief
    assert pinned_item(from_items([same]), brief) is brief
    assert pinned_item(from_items([empty]), brief) is brief
    assert pinned_item(from_items([other_text, asked]), brief) == other_text
    assert pinned_item(from_items([image]), brief) == image
    assert pinned_item(from_items([image, image]), image) is image


def test_the_head_pins_the_system_message_of_a_tail() -> None:
    first, other_text = numbered([system("A"), system("B")])
    assert BUFFER.view([user()], system=first).messages == (first, user())
    assert BUFFER.view([first, user()], system=first).left_out == ()
    view = BUFFER.view([first, other_text, user()], system=first)
    assert view.messages == (other_text, user())
    assert [(left.message, left.reason) for left in view.left_out] == [(first, "superseded_system")]


def test_instructions_stand_in_for_the_pinned_message_for_one_turn() -> None:
    pinned, own = system("A"), system("Only now.")
    view = BUFFER.view([pinned, user()], instructions=own)
    assert view.messages == (own, user())
    assert (view.system, view.retained, view.evicted) == (pinned, 2, 1)
    assert [(left.message, left.reason) for left in view.left_out] == [(pinned, "instructions")]


@given(messy_histories)
def test_whatever_the_history_the_order_is_valid(messages: tuple[Message, ...]) -> None:
    assert broken_rules_of_openai(upstream_items(BUFFER.view(messages).messages)) == []


@given(messy_histories)
def test_every_message_is_emitted_or_left_out_for_a_reason(messages: tuple[Message, ...]) -> None:
    view = BUFFER.view(messages)
    whole = {m.id for m in view.messages} | {left.message.id for left in view.left_out if left.message.id}
    assert whole == {m.id for m in messages}
