"""All can be done without a mouse, and Enter does not send while an input method composes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Show
    from tests.browser.shown import Shown

FOCUSED = "() => { const node = document.activeElement; return node.id || node.value || node.innerText; }"


def go_to(shown: Shown, name: str, *, key: str = "Tab") -> None:
    """Press a key until something of this name has the focus, as it is to be seen."""
    for _ in range(80):
        shown.page.keyboard.press(key)
        if shown.page.evaluate(FOCUSED).lstrip("＋ ") == name:
            outline = shown.page.evaluate(
                "() => { const node = document.activeElement;"
                " const seen = node.name === 'policy' ? node.nextElementSibling : node;"
                " return getComputedStyle(seen).outlineStyle; }"
            )
            assert outline != "none"
            return
    message = f"{name} cannot be reached by {key}"
    raise AssertionError(message)


def test_the_whole_flow(show: Show) -> None:
    shown = show()
    keyboard = shown.page.keyboard
    go_to(shown, "New conversation")
    keyboard.press("Enter")
    go_to(shown, "See it forget and remember")
    keyboard.press("Enter")
    shown.answered(10)
    assert shown.texts(".message.assistant .text")[-1] == "You have not told me your name yet."

    go_to(shown, "message_window")
    keyboard.press("ArrowLeft")
    shown.settled()
    shown.page.wait_for_function("() => !document.querySelector('[data-in-view=false]')")
    go_to(shown, "Keep it")
    with shown.looked():
        keyboard.press("Space")
    assert shown.context()["policy"] == "buffer"

    go_to(shown, "draft", key="Shift+Tab")
    keyboard.type("What is my name?")
    keyboard.press("Shift+Enter")
    assert shown.page.input_value("#draft") == "What is my name?\n"
    keyboard.press("Enter")
    shown.answered(11)
    assert shown.texts(".message.assistant .text")[-1] == "Your name is Naomi Watanabe!"

    go_to(shown, "tab-context")
    for name in ("turn", "memory", "momento", "json", "context", "turn"):
        keyboard.press("ArrowRight")
        shown.page.wait_for_selector(f"#tab-{name}[aria-selected=true]")
        assert shown.page.evaluate("document.activeElement.id") == f"tab-{name}"
    assert "MISS" in shown.page.locator(".panel").inner_text()


def test_nothing_keeps_the_focus(show: Show) -> None:
    shown = show()
    made = shown.api(
        "POST",
        "/v1/conversations",
        {"memory": {"policy": "summary_window", "trigger_tokens": 60, "keep": 20, "entities": True}},
    )
    for text in ("My name is Naomi Watanabe. I live in Osaka.", "I have a dog called Pochi.", "It rains.", "Still."):
        shown.api("POST", "/v1/responses", {"conversation": made["id"], "input": text})
    while not shown.api("GET", f"/v1/conversations/{made['id']}/memory")["facts"]:
        shown.page.wait_for_timeout(100)
    shown.go(made["id"])
    shown.tab("memory")
    nodes = shown.page.locator(".graph .node").count()
    assert nodes > 1
    shown.page.locator(".graph .node").first.focus()
    for _ in range(nodes):
        assert shown.page.evaluate("document.activeElement.matches('.graph .node')")
        shown.page.keyboard.press("Tab")
    assert not shown.page.evaluate("document.activeElement.matches('.graph .node')")


def test_the_slider_moves_by_arrows(show: Show) -> None:
    shown = show()
    shown.demonstrate()
    go_to(shown, "20")
    for _ in range(4):
        shown.page.keyboard.press("ArrowLeft")
    shown.page.wait_for_function("() => document.querySelector('.slider output').value === '16'")
    shown.settled()
    shown.page.wait_for_function("() => document.querySelectorAll('[data-in-view=true]').length === 16")


@pytest.mark.parametrize("composing", ["isComposing: true", "keyCode: 229"], ids=["most browsers", "Safari"])
def test_enter_does_not_send_while_an_input_method_composes(show: Show, composing: str) -> None:
    shown = show(locale="ja-JP")
    shown.page.click("button.new")
    shown.page.fill("#draft", "なおみ")
    press = "options => document.querySelector('#draft').dispatchEvent(new KeyboardEvent('keydown', options))"
    shown.page.evaluate(f"({press})({{key: 'Enter', bubbles: true, cancelable: true, {composing}}})")
    shown.settled()
    assert shown.page.input_value("#draft") == "なおみ"
    assert shown.page.locator(".message").count() == 0
    shown.page.evaluate(f"({press})({{key: 'Enter', bubbles: true, cancelable: true}})")
    shown.answered(0)
    assert shown.texts(".message.user .text") == ["なおみ"]


def test_enter_ends_a_composition_and_does_not_send(show: Show) -> None:
    shown = show(locale="ja-JP")
    shown.page.click("button.new")
    shown.page.focus("#draft")
    devtools = shown.page.context.new_cdp_session(shown.page)
    devtools.send("Input.imeSetComposition", {"text": "直美", "selectionStart": 2, "selectionEnd": 2})
    key = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
    devtools.send("Input.insertText", {"text": "直美"})
    shown.settled()
    assert shown.page.input_value("#draft") == "直美"
    assert shown.page.locator(".message").count() == 0
    shown.page.press("#draft", "Enter")
    shown.answered(0)
