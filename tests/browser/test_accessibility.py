"""axe finds nothing, and nothing is wider than the screen: every tab, both languages, schemes and screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.shown import DESK, PHONE, TABS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.conftest import Show
    from tests.browser.shown import Shown

WIDE = """() => [document.documentElement,
    ...document.querySelectorAll('#app > :not(.hidden), .panel, .log, .head, .composer')]
    .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth)
    .map(node => `${node.tagName}.${node.className}: ${node.scrollWidth} > ${node.clientWidth}`)"""
MEMORY = {"policy": "summary_window", "trigger_tokens": 120, "keep": 40, "entities": True, "recall": True}


def audit(shown: Shown) -> None:
    """Have axe look, and measure."""
    shown.settled()
    assert shown.page.evaluate(WIDE) == []
    found = shown.page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"]})
    assert found["passes"]
    assert [told(violation) for violation in found["violations"]] == []


def told(violation: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return violation["id"], violation["help"], [node["html"][:120] for node in violation["nodes"]]


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
def test_every_tab_is_for_everybody(show: Show, locale: str, scheme: str, screen: Mapping[str, int]) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    shown = show(locale=locale, scheme=scheme, screen=screen)
    shown.page.evaluate(AXE_SCRIPT)
    audit(shown)  # the empty page
    conversation = remembered(shown)
    shown.go(conversation)
    shown.page.evaluate(AXE_SCRIPT)
    shown.say("What did I say about my dog's food?")
    assert shown.page.locator("[data-in-view=false]").count() > 0
    audit(shown)
    for tab in TABS:
        shown.tab(tab)
        audit(shown)
    shown.tab("context")
    shown.choose("turn_window", 2)
    audit(shown)


def remembered(shown: Shown) -> str:
    """Make a conversation of which there is a summary with facts."""
    conversation = str(shown.api("POST", "/v1/conversations", {"memory": MEMORY})["id"])
    for text in (
        "My name is Naomi Watanabe. I live in Osaka.",
        "I have a dog called Pochi. He eats salmon.",
        "It rains.",
        "So it does.",
        "`code` and **more**:\n\n* a\n* b",
    ):
        shown.api("POST", "/v1/responses", {"conversation": conversation, "input": text})
    while not shown.api("GET", f"/v1/conversations/{conversation}/memory")["facts"]:
        shown.page.wait_for_timeout(100)
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
