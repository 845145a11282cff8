"""What the page is for: the model forgets a name, and remembers it when the line is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.shown import DESK, PHONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.conftest import Show

IN_SIGHT = """node => node.getBoundingClientRect().bottom
    <= document.querySelector('.log').getBoundingClientRect().bottom"""
NAMELESS = {"ja-JP": "まだお名前を伺っていません。", "en-US": "You have not told me your name yet."}
NAMED = {"ja-JP": "あなたの名前は渡辺直美さんです！", "en-US": "Your name is Naomi Watanabe!"}


def test_a_name_leaves_the_window_and_comes_back(show: Show) -> None:
    shown = show(locale="ja-JP")
    shown.page.click("button.new")
    assert "渡辺直美" in shown.say("私の名前は渡辺直美です。")
    for day in range(10):
        shown.say(f"{day}日目も元気です。")
    assert shown.say("私の名前なんだっけ？") == NAMELESS["ja-JP"]
    first = shown.page.locator("[data-item-id]").first
    assert first.get_attribute("data-in-view") == "false"

    shown.choose("buffer")
    assert set(shown.in_view().values()) == {True}
    before = len(shown.items())
    shown.page.get_by_role("button", name="もう一度聞く").click()
    shown.answered(before // 2)
    assert shown.texts(".message.assistant .text")[-1] == NAMED["ja-JP"]


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("locale", ["ja-JP", "en-US"])
def test_one_button_shows_it(show: Show, locale: str, screen: Mapping[str, int]) -> None:
    shown = show(locale=locale, screen=screen)
    shown.demonstrate()
    assert shown.texts(".message.assistant .text")[-1] == NAMELESS[locale]
    shown.tab("context")
    shown.choose("buffer")
    if screen is PHONE:
        shown.page.locator(".switch button").nth(1).click()
    before = shown.page.locator(".message.assistant[data-item-id]").count()
    shown.page.locator(".again button").first.click()
    shown.answered(before)
    assert shown.texts(".message.assistant .text")[-1] == NAMED[locale]


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("locale", ["ja-JP", "en-US"])
def test_two_presses_show_it_to_who_has_never_been_here(show: Show, locale: str, screen: Mapping[str, int]) -> None:
    shown = show(locale=locale, screen=screen)
    shown.shown("button.main:enabled").first.click()
    shown.answered(10)
    shown.settled()
    assert shown.texts(".message.assistant .text")[-1] == NAMELESS[locale]
    proof = shown.page.locator(".again .main")
    assert proof.evaluate(IN_SIGHT)
    before = shown.page.locator(".message.assistant[data-item-id]").count()
    proof.click()
    shown.answered(before)
    assert shown.texts(".message.assistant .text")[-1] == NAMED[locale]
    shown.settled()  # the context comes behind the answer
    assert proof.count() == 0


def test_what_is_kept_holds_for_the_next_visit(show: Show) -> None:
    shown = show()
    shown.demonstrate()
    shown.choose("turn_window", 3)
    with shown.looked():
        shown.page.get_by_role("button", name="Keep it").click()
    shown.go(shown.conversation)
    shown.settled()
    assert list(shown.in_view().values()) == [False] * 16 + [True] * 6
    assert shown.context()["memory"] == {"policy": "turn_window", "max_turns": 3}


def test_on_a_phone_the_conversations_come_first(show: Show) -> None:
    shown = show(screen=PHONE)
    assert shown.shown(".rail").count() == 1
    assert shown.shown(".chat, .inspector").count() == 0
    shown.demonstrate()
    assert shown.shown(".chat").count() == 1
    shown.go()
    shown.page.locator(".rail li button").first.click()
    assert shown.shown(".rail, .inspector").count() == 0


def test_the_language_is_the_browsers_until_another_is_chosen(show: Show) -> None:
    shown = show(locale="ja-JP")
    assert shown.page.locator("html").get_attribute("lang") == "ja"
    shown.page.get_by_role("button", name="English").click()
    assert shown.page.locator("html").get_attribute("lang") == "en"
    shown.go()
    assert shown.shown("button.new").inner_text().endswith("New conversation")
