"""Words are on the screen before the answer has ended; a turn that is stopped or fails is stored whole or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.model.faults import cut_connection
from tests.held_model import PATIENCE, holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.model.server import StandInModel
    from tests.browser.conftest import Show
    from tests.browser.shown import Shown
    from tests.held_model import Held

WORDS = "() => { const words = document.querySelector('#answering')?.innerText; return words && words !== '…'; }"
QUESTION = "Tell me something about the weather in Osaka, and about the sea, and about the trains there."


@pytest.fixture
def held(model: StandInModel) -> Iterator[Held]:
    """The model, which stops in the middle of its answers."""
    with holding(model) as made:
        yield made


def begun(shown: Shown, held: Held) -> str:
    """Ask something, and give the first words that are on the screen while the model is held back."""
    shown.page.click("button.new")
    shown.page.fill("#draft", QUESTION)
    shown.page.press("#draft", "Enter")
    assert held.reached.wait(PATIENCE)
    shown.page.wait_for_function(WORDS)
    return str(shown.page.locator("#answering").inner_text())


def test_the_first_words_are_there_before_the_end(show: Show, held: Held) -> None:
    shown = show()
    first = begun(shown, held)
    assert shown.items() == []  # the turn has not ended: nothing of it is stored
    assert shown.page.locator(".log").get_attribute("aria-busy") == "true"
    held.go.set()
    shown.answered(0)
    whole = shown.texts(".message.assistant .text")[-1]
    assert whole.startswith(first)
    assert len(whole) > len(first)
    assert [item["role"] for item in shown.items()] == ["user", "assistant"]


def test_a_turn_that_is_stopped_is_stored_whole(show: Show, held: Held) -> None:
    shown = show()
    first = begun(shown, held)
    shown.page.get_by_role("button", name="Stop").click()
    assert "goes on" in shown.page.locator("[role=status]").first.inner_text()
    assert shown.items() == []
    shown.page.fill("#draft", "Next.")
    shown.page.wait_for_selector("button[type=submit]:enabled")
    held.go.set()
    shown.answered(0)
    question, answer = shown.items()
    assert question["content"][0]["text"] == QUESTION
    assert answer["content"][0]["text"].startswith(first)
    assert answer["status"] == "completed"
    assert shown.texts(".message.assistant .text") == [answer["content"][0]["text"]]


def test_a_turn_that_breaks_off_is_told_and_can_be_sent_again(show: Show, quick_model: StandInModel) -> None:
    shown = show()
    quick_model.script.append(cut_connection(after=4))
    shown.page.click("button.new")
    shown.page.fill("#draft", QUESTION)
    shown.page.press("#draft", "Enter")
    shown.page.wait_for_selector(".trouble")
    assert shown.items() == []
    assert shown.page.input_value("#draft") == QUESTION
    shown.page.get_by_role("button", name="Dismiss").click()
    shown.page.press("#draft", "Enter")
    shown.answered(0)
    assert len(shown.items()) == 2


def test_a_slow_model_keeps_nobody_from_another_conversation(show: Show, model: StandInModel) -> None:
    shown = show()
    shown.page.click("button.new")
    shown.say("One.")
    with holding(model) as held:
        begun(shown, held)
        shown.page.locator(".rail li button", has_text="One.").click()
        shown.page.wait_for_function("() => document.querySelector('.message.user .text')?.innerText.trim() === 'One.'")
        assert shown.texts(".message.user .text") == ["One."]
        assert shown.page.locator("#answering").count() == 0
    shown.settled()
