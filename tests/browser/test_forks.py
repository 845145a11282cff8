"""An answer is given anew, and a conversation goes on from any answer, in a fork; what was said stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.conftest import Show


def test_an_answer_is_given_anew_with_what_the_model_sees_now(show: Show) -> None:
    shown = show()
    shown.demonstrate()
    before, items = shown.conversation, shown.items()
    shown.choose("buffer")
    shown.page.get_by_role("button", name="Regenerate").click()
    shown.page.wait_for_function("before => !location.hash.endsWith(before)", arg=before)
    shown.answered(10)
    assert shown.texts(".message.assistant .text")[-1] == "Your name is Naomi Watanabe!"
    assert len(shown.items()) == len(items)
    assert shown.items(before) == items
    assert shown.page.locator(".rail li").count() == 2


def test_the_first_answer_is_given_anew_in_a_conversation_of_its_own(show: Show) -> None:
    shown = show()
    shown.page.click("button.new")
    shown.say("Hello, who are you?")
    before = shown.conversation
    shown.page.get_by_role("button", name="Regenerate").click()
    shown.page.wait_for_function("before => location.hash && !location.hash.endsWith(before)", arg=before)
    shown.answered(0)
    assert shown.texts(".message.user .text") == ["Hello, who are you?"]
    assert len(shown.items(before)) == len(shown.items()) == 2


def test_a_fork_begins_as_its_origin_up_to_the_answer(show: Show) -> None:
    shown = show()
    shown.demonstrate()
    before, texts = shown.conversation, shown.texts()
    answer = shown.page.locator(".message.assistant[data-item-id]").nth(2)
    answer.hover()
    answer.get_by_role("button", name="Fork").click()
    shown.page.wait_for_function("before => !location.hash.endsWith(before)", arg=before)
    shown.page.wait_for_selector("[data-item-id]")
    shown.settled()
    assert shown.texts() == texts[:6]
    shown.say("And now something else.")
    assert len(shown.items(before)) == len(texts)
