"""axe finds nothing, and nothing is wider than the screen: every tab, both languages, schemes and screens."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.shown import DESK, PHONE, TABS, ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.conftest import Show
    from tests.browser.shown import Shown
    from tests.dev_server import RunningServer

WIDE = """() => [document.documentElement,
    ...document.querySelectorAll('#app > :not(.hidden), .panel, .log, .head, .composer')]
    .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth)
    .map(node => `${node.tagName}.${node.className}: ${node.scrollWidth} > ${node.clientWidth}`)"""
OWNER = "everybody"
MEMORY = {"policy": "summary_window", "trigger_tokens": 120, "keep": 40, "entities": True, "recall": True}


LOCALES = ["en-US", "ja-JP"]
SCHEMES = ["light", "dark"]
SCREENS = pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])


def audit(shown: Shown, part: str = "html") -> None:
    """Have axe look at the page, or at the part that is another one now, and measure."""
    shown.settled()
    assert shown.page.evaluate(WIDE) == []
    asked = [part, {"resultTypes": ["violations"]}]
    found = shown.page.evaluate("([part, options]) => axe.run(part, options)", asked)
    assert found["passes"]
    assert [told(violation) for violation in found["violations"]] == []


def told(violation: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return violation["id"], violation["help"], [node["html"][:120] for node in violation["nodes"]]


@SCREENS
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_empty_page_is_for_everybody(show: Show, locale: str, scheme: str, screen: Mapping[str, int]) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    shown = show(locale=locale, scheme=scheme, screen=screen)
    shown.page.evaluate(AXE_SCRIPT)
    audit(shown)
    shown.page.click("button.new")
    audit(shown)


@SCREENS
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_tab_is_for_everybody(
    show: Show, conversation: str, locale: str, scheme: str, screen: Mapping[str, int]
) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    shown = show(OWNER, locale=locale, scheme=scheme, screen=screen)
    shown.go(conversation)
    shown.page.evaluate(AXE_SCRIPT)
    shown.say("What did I say about my dog's food?")
    assert shown.page.locator("[data-in-view=false]").count() > 0
    audit(shown)
    for tab in TABS:
        shown.tab(tab)
        audit(shown, ".inspector")
    shown.tab("context")
    shown.choose("turn_window", 2)
    audit(shown)


@pytest.fixture(scope="module")
def conversation(server: RunningServer) -> str:
    """Make a conversation of which there is a summary with facts."""
    api = partial(ask, server.url.removesuffix("/v1"), OWNER)
    conversation = str(api("POST", "/v1/conversations", {"memory": MEMORY})["id"])
    for text in (
        "My name is Naomi Watanabe. I live in Osaka.",
        "I have a dog called Pochi. He eats salmon.",
        "It rains.",
        "So it does.",
        "`code` and **more**:\n\n* a\n* b",
    ):
        api("POST", "/v1/responses", {"conversation": conversation, "input": text})
    while not api("GET", f"/v1/conversations/{conversation}/memory")["facts"]:
        time.sleep(0.1)
    return conversation


def test_axe_would_find_something(show: Show) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    shown = show()
    shown.page.evaluate(AXE_SCRIPT)
    shown.page.evaluate("() => document.querySelector('label[for=draft]').remove()")
    shown.page.evaluate("() => document.querySelector('#draft').removeAttribute('placeholder')")
    with pytest.raises(AssertionError, match="label"):
        audit(shown)
    shown.page.evaluate("() => { document.querySelector('.composer').append('x'.repeat(2000)); }")
    with pytest.raises(AssertionError, match=r"HTML"):
        audit(shown)
