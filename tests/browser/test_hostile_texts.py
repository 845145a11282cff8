"""Whatever users, models and titles say is text: it becomes no element, no script and no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.conftest import Show

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)><circle/></svg>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "[click](javascript:alert(1)) [and](data:text/html,<script>alert(1)</script>)",
    '"><button onclick=alert(1) autofocus onfocus=alert(1)>x</button>',
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "![picture](https://evil.example/pixel.png)",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "</div></article></main><form action=https://evil.example><input name=q></form>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a> <math><mtext><style><img src=x onerror=alert(1)>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} \u202eevil\u202c \x00\x1b[31m",
)
# What the page itself puts into the transcript.
KNOWN = ["DIV", "ARTICLE", "HEADER", "STRONG", "SMALL", "P", "BR", "BUTTON", "PRE", "CODE", "A", "UL", "OL", "LI", "EM"]


def test_hostile_texts_stay_texts(show: Show) -> None:
    shown = show()
    assert len(HOSTILE) == 12
    shown.page.click("button.new")
    for text in HOSTILE:
        answer = shown.say(text)
        assert answer
    said = shown.texts(".message.user .text")
    for text, seen in zip(HOSTILE, said, strict=True):
        if "```" not in text and "](" not in text and "\x00" not in text:
            assert "".join(seen.split()) == "".join(text.split()), text
    tags = set(shown.page.eval_on_selector_all(".chat *", "nodes => nodes.map(node => node.tagName)"))
    assert tags - {*KNOWN, "SPAN", "H2", "FORM", "LABEL", "TEXTAREA", "SELECT", "OPTION"} == set()
    assert shown.page.locator("form").count() == 1
    links = shown.page.eval_on_selector_all(".chat a", "nodes => nodes.map(node => [node.protocol, node.rel])")
    assert [link for link in links if link[0] not in ("http:", "https:") or "noopener" not in link[1]] == []
    handlers = "nodes => nodes.flatMap(node => [...node.attributes]).filter(one => one.name.startsWith('on')).length"
    assert shown.page.eval_on_selector_all("*", handlers) == 0
    for tab in ("context", "turn", "memory", "momento", "json"):
        shown.tab(tab)
    assert shown.page.locator("script, iframe, style, link[href*=evil], img:not(header img)").count() == 1  # its own


def test_a_hostile_title_and_a_hostile_name_stay_texts(show: Show) -> None:
    shown = show()
    hostile = "<img src=x onerror=alert(1)>"
    made = shown.api("POST", "/v1/conversations", {"metadata": {"title": hostile}})
    shown.go(made["id"])
    shown.say("Hello.")
    assert shown.page.locator(".head h2").inner_text() == hostile
    assert shown.page.locator(".rail .title").first.inner_text() == hostile
    assert shown.page.locator(".rail img, .head img").count() == 1


def test_the_policy_refuses_what_a_mistake_would_let_in(show: Show) -> None:
    shown = show()
    header = shown.page.request.get(f"{shown.address}/").headers["content-security-policy"]
    for rule in ("default-src 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"):
        assert rule in header
    refused = shown.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return 'let in'; } catch (error) { return error.name; } }"
    )
    assert refused == "TypeError"
    assert shown.errors
    assert "TrustedHTML" in shown.errors.pop()


def test_a_request_to_another_host_is_refused_and_would_be_seen(show: Show) -> None:
    shown = show()
    went = shown.page.evaluate("() => fetch('http://evil.example/').then(() => 'went', () => 'refused')")
    assert went == "refused"
    assert any("Content Security Policy" in error for error in shown.errors)
    shown.errors.clear()
    shown.page.evaluate("() => { open('http://evil.example/'); }")  # a window of its own asks past the policy
    while not shown.elsewhere:
        shown.page.wait_for_timeout(50)
    assert shown.elsewhere.pop() == "http://evil.example/"
