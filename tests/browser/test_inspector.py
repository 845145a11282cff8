"""The inspector shows the API's own figures, and what is changed there holds for the next turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local.model.server import StandInModel
    from tests.browser.conftest import Show
    from tests.browser.shown import Shown

MEMORY = {"policy": "summary_window", "trigger_tokens": 120, "keep": 40, "entities": True, "recall": True}
SAID = (
    "My name is Naomi Watanabe. I live in Osaka.",
    "I have a dog called Pochi. He eats only salmon.",
    "It rains.",
    "So it does.",
    "It rains still.",
    "And it rains on.",
)


def test_a_hit_shows_what_the_api_says(show: Show) -> None:
    shown = show()
    shown.page.click("button.new")
    shown.say("What is the capital of France?")
    shown.page.click("button.new")
    with shown.page.expect_response("**/v1/responses") as asked:
        shown.say("What is the capital of France?")
    body = {"conversation": "asked-by-the-test", "input": "What is the capital of France?"}
    answer = shown.api("POST", "/v1/responses", body)
    cache = answer["omoide"]["cache"]
    assert cache["status"] == "hit"
    assert cache["saved_tokens"] > 0
    shown.settled()
    shown.page.locator(".message .chip", has_text="HIT").click()
    shown.settled()
    told = shown.page.locator(".panel").inner_text()
    assert "HIT" in told
    assert f"{cache['saved_tokens']} tokens and {round(cache['saved_ms']):,} ms of the model saved" in told
    assert f"{answer['usage']['input_tokens']} in, {answer['usage']['output_tokens']} out" in told
    assert asked.value.headers["cache-status"] in told
    named = [entry.split(";")[0].strip() for entry in asked.value.headers["server-timing"].split(",")]
    stages = [name for name in named if name != "total"]
    rows = [row.split()[0] for row in shown.texts(".bars tbody tr")]
    assert rows[: len(stages)] == stages
    shown.tab("json")
    turn = json.loads(shown.page.locator(".panel code").inner_text())["turn"]
    assert (turn["usage"], turn["created_at"]) == (answer["usage"], answer["created_at"])


@pytest.fixture
def shown(show: Show) -> Shown:
    """A conversation with a summary and facts."""
    shown = show()
    made = shown.api("POST", "/v1/conversations", {"memory": MEMORY})["id"]
    for text in SAID:
        shown.api("POST", "/v1/responses", {"conversation": made, "input": text})
    while not any("Pochi" in fact["object_value"] for fact in memory(shown, made)["facts"]):
        shown.page.wait_for_timeout(100)
    shown.go(made)
    shown.tab("memory")
    return shown


def memory(shown: Shown, conversation: str) -> dict[str, Any]:
    return dict(shown.api("GET", f"/v1/conversations/{conversation}/memory"))


def sent(shown: Shown) -> str:
    return json.dumps(shown.context()["input"], ensure_ascii=False)


def test_the_summary_says_what_it_covers(shown: Shown) -> None:
    told = memory(shown, shown.conversation)
    assert shown.page.locator("blockquote").inner_text() == told["summary"]["text"]
    covered = [item["id"] for item in shown.items()].index(told["covers_up_to"]) + 1
    shown.page.get_by_role("button", name=f"the first {covered} items").click()
    assert shown.page.evaluate("document.activeElement.dataset.itemId") == told["covers_up_to"]
    reasons = shown.texts("[data-in-view=false] .reason.summarised")
    assert len(reasons) == covered


def test_a_fact_leads_to_where_it_was_said(shown: Shown) -> None:
    [fact] = [one for one in memory(shown, shown.conversation)["facts"] if one["object_value"] == "Osaka"]
    shown.page.locator(f"[data-fact-id={fact['id']}]").get_by_role("button", name="Show source").click()
    assert shown.page.evaluate("document.activeElement.dataset.itemId") == fact["item_ids"][-1]
    node = shown.page.locator(".graph .node", has_text="Osaka")
    assert node.count() == 1
    shown.page.focus("#draft")
    node.press("Enter")
    assert shown.page.evaluate("document.activeElement.dataset.itemId") == fact["item_ids"][-1]


def test_a_fact_that_is_forgotten_is_not_in_the_next_context(shown: Shown) -> None:
    [fact] = [one for one in memory(shown, shown.conversation)["facts"] if one["object_value"] == "Osaka"]
    assert fact["id"] in shown.context()["facts"]
    with shown.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        shown.page.locator(f"[data-fact-id={fact['id']}]").get_by_role("button", name="Forget").click()
    shown.page.wait_for_selector(f"[data-fact-id={fact['id']}]", state="detached")
    assert fact["id"] not in shown.context()["facts"]
    assert shown.page.locator(".graph .node", has_text="Osaka").count() == 0


def test_a_fact_that_is_corrected_is_what_the_next_context_says(shown: Shown) -> None:
    [fact] = [one for one in memory(shown, shown.conversation)["facts"] if one["object_value"] == "Osaka"]
    line = shown.page.locator(f"[data-fact-id={fact['id']}]")
    line.get_by_role("button", name="Correct").click()
    field = shown.page.get_by_label("What should it say?")
    assert field.input_value() == "Osaka"
    field.press("Escape")
    line.get_by_role("button", name="Correct").click()
    field.fill("Kobe")
    with shown.looked():
        field.press("Enter")
    shown.page.wait_for_function("() => document.querySelector('.panel').innerText.includes('Kobe')")
    assert "Kobe" in sent(shown)


def test_what_a_message_brings_up_is_shown_before_it_is_sent(shown: Shown) -> None:
    with shown.page.expect_response("**/v1/responses") as asked:
        shown.page.fill("#draft", "What does my dog Pochi eat? Only salmon?")
    shown.settled()
    recalled = asked.value.json()["recall"]["shown"]
    assert recalled
    for one in recalled:
        assert f"score {one['score']:.3f}".rstrip("0") in shown.page.locator(".recalls").inner_text()
    shown.page.locator(".recalls button").first.click()
    assert shown.page.evaluate("document.activeElement.dataset.itemId") == recalled[0]["item_id"]
    marked = shown.page.locator(".message:has(.reason.recalled)").first
    assert marked.get_attribute("data-in-view") == "false"


def test_the_memory_can_be_forgotten_and_made_again(shown: Shown) -> None:
    with shown.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        shown.page.get_by_role("button", name="Forget this memory").click()
    shown.page.wait_for_selector("blockquote", state="detached")
    assert memory(shown, shown.conversation)["summary"] is None
    assert len(shown.items()) == 2 * len(SAID)


def test_momento_is_shown_as_it_is_and_nothing_is_lost_with_it(show: Show) -> None:
    shown = show()
    shown.demonstrate()
    shown.choose("buffer")
    with shown.looked():
        shown.page.get_by_role("button", name="Keep it").click()
    shown.tab("momento")
    held = shown.api("GET", f"/_local/momento/{shown.conversation}")
    contents = [json.loads(element)["data"]["content"] for element in held["list"]["elements"]]
    rows = shown.texts(".elements summary")
    assert [row.partition(" ")[2] for row in rows] == contents
    assert [row.partition(" ")[0] for row in rows] == ["human", "ai"] * (len(contents) // 2)
    assert shown.texts(".panel .big")[0].split()[0] == str(held["operations"])
    first = shown.page.locator("time").first.inner_text()
    shown.page.wait_for_function("first => document.querySelector('time').innerText !== first", arg=first)

    shown.page.get_by_role("button", name="Wipe the cache").click()
    shown.page.wait_for_selector(".elements", state="detached")
    assert shown.api("GET", f"/_local/momento/{shown.conversation}")["list"] is None
    assert shown.say("What is my name?") == "Your name is Naomi Watanabe!"
    shown.page.wait_for_selector(".elements")
    assert len(shown.texts(".elements summary")) == len(contents) + 2


def test_a_model_is_chosen_from_those_that_may_be_named(show: Show, model: StandInModel) -> None:
    shown = show()
    offered = [one["id"] for one in shown.api("GET", "/v1/models")["data"]]
    menu = shown.page.locator("select")
    options = menu.locator("option").all_inner_texts()[1:]
    assert options == [name for name in offered if "embedding" not in name]
    assert menu.evaluate("node => node.selectedOptions[0]?.text") == "Model"
    shown.page.click("button.new")
    menu.select_option(options[-1])
    shown.say("Hello, whoever you are, on this day.")
    assert model.requests[-1]["model"] == options[-1]


def test_a_conversation_is_erased_when_it_is_meant(show: Show) -> None:
    shown = show()
    shown.page.click("button.new")
    shown.say("Hello.")
    before = shown.conversation
    shown.page.get_by_role("button", name="Erase").click()
    assert shown.dialogs.pop() == "Erase this conversation, for good?"
    shown.settled()
    assert len(shown.items(before)) == 2
    shown.accepts = True
    shown.page.get_by_role("button", name="Erase").click()
    shown.page.wait_for_selector(".welcome")
    assert shown.dialogs.pop()
    assert shown.api("GET", "/v1/conversations")["data"] == []
