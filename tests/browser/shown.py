"""The page as somebody sees it, and the API as the page asks it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib import request as http
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Dialog, Locator, Request

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TABS = ("context", "turn", "memory", "momento", "json")
SECONDS = 60
# A conversation that is not there yet is looked for; the browser tells of the 404.
_EXPECTED = re.compile(r"status of 404")


def ask(address: str, user: str, method: str, path: str, body: Any = None) -> Any:
    """Ask the API."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Local-User": user}
    asked = http.Request(f"{address}{path}", data, headers, method=method)  # noqa: S310
    with http.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
        return json.load(answer)


class Shown:
    """One window on the page. Requests to other hosts are kept in ``elsewhere``.

    Parameters
    ----------
    address
        Of the server.
    user
        Whose conversations they are.
    locale, scheme, screen
        What the browser says of its user.
    """

    def __init__(
        self,
        browser: Browser,
        address: str,
        user: str,
        *,
        locale: str = "en-US",
        scheme: str = "light",
        screen: Mapping[str, int] = DESK,
    ) -> None:
        self.address = address
        self.user = re.sub(r"[^\w.:-]", "-", user)[:100]
        self.elsewhere: list[str] = []
        self.dialogs: list[str] = []
        self.accepts = False
        self.errors: list[str] = []
        self._open: set[object] = set()
        settings: dict[str, Any] = {
            "locale": locale,
            "color_scheme": scheme,
            "viewport": screen,
            "extra_http_headers": {"X-Local-User": self.user},
            "reduced_motion": "reduce",
        }
        self._context = browser.new_context(**settings)
        self._context.set_default_timeout(SECONDS * 1000)
        # No route: under one Chromium asks everything with `no-cache`, and nothing would be a hit.
        self._context.on("request", self._asked)
        self.page = self._context.new_page()
        self.page.on("dialog", self._answer)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self._heard(line.type, line.text))
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)
        self.go()
        self.usable_after = float(self.page.evaluate("performance.getEntriesByName('usable')[0]?.startTime ?? -1"))

    def close(self) -> None:
        """Close the window."""
        self._context.close()

    def go(self, conversation: str = "") -> None:
        """Load the page anew, at a conversation."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/#{quote(conversation)}")
        self.page.wait_for_selector("body[data-ready]")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.elsewhere.append(request.url)
        self._open.add(request)

    def _ended(self, request: Request) -> None:
        self._open.discard(request)

    def _answer(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        if self.accepts:
            dialog.accept()
        else:
            dialog.dismiss()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and not _EXPECTED.search(text):
            self.errors.append(text)

    # What there is

    def shown(self, selector: str) -> Locator:
        """Find what is to be seen."""
        return self.page.locator(selector).locator("visible=true")

    def texts(self, selector: str = ".message .text") -> list[str]:
        """Read what is to be seen."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def in_view(self) -> dict[str, bool]:
        """Tell of each item, in its order, whether it is drawn as seen by the model."""
        found = self.page.eval_on_selector_all(
            "[data-item-id]", "nodes => nodes.map(node => [node.dataset.itemId, node.dataset.inView === 'true'])"
        )
        return dict(found)

    @property
    def conversation(self) -> str:
        """The id of the conversation that is open."""
        return str(self.page.evaluate("decodeURIComponent(location.hash.slice(1))"))

    # What somebody does

    def say(self, text: str) -> str:
        """Send a message, wait for its answer and give that."""
        before = self.page.locator(".message.assistant[data-item-id]").count()
        self.page.fill("#draft", text)
        self.page.press("#draft", "Enter")
        self.answered(before)
        return self.texts(".message.assistant .text")[-1]

    def answered(self, before: int) -> None:
        """Wait until there is one answer more than before, and nothing runs."""
        self.page.wait_for_function(
            "before => document.querySelector('.trouble') || !document.querySelector('#answering')"
            " && document.querySelectorAll('.message.assistant[data-item-id]').length > before",
            arg=before,
        )
        assert self.texts(".trouble") == []

    def demonstrate(self) -> None:
        """Press the button that shows how the model forgets, on an empty page."""
        self.page.click("button.new")
        self.page.click(".welcome .main")
        self.answered(10)
        self.settled()

    def tab(self, name: str) -> None:
        """Open a tab of the inspector."""
        if not self.page.locator(f"#tab-{name}").is_visible():
            self.page.locator(".switch button").last.click()
        self.page.click(f"#tab-{name}")
        self.settled()

    def choose(self, policy: str, value: int | None = None) -> None:
        """Try a policy out, and its limit, as a hand on the slider does."""
        radio = self.page.locator(f"input[name=policy][value={policy}]")
        if not radio.is_checked():
            with self.looked():
                radio.check(force=True)
        if value is not None:
            with self.looked():
                self.page.locator(".slider input").fill(str(value))

    def looked(self) -> Any:
        """Wait for the page to have asked for a context, and to have drawn it."""
        return _Looked(self)

    def settled(self) -> None:
        """Wait until nothing is asked any more, and what came is drawn."""
        quiet = 0
        while quiet < 2:
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            quiet = 0 if self._open else quiet + 1

    # What the API says

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API as the same user."""
        return ask(self.address, self.user, method, path, body)

    def items(self, conversation: str = "") -> list[Any]:
        """Read the history, the oldest first."""
        name = quote(conversation or self.conversation)
        return list(self.api("GET", f"/v1/conversations/{name}/items?order=asc&limit=100")["data"])

    def context(self, query: str = "") -> dict[str, Any]:
        """Read what the model would see."""
        return dict(self.api("GET", f"/v1/conversations/{quote(self.conversation)}/context{query}"))


class _Looked:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._waiting: Any = None

    def __enter__(self) -> None:
        self._shown.settled()  # what was asked before is no answer to this
        self._waiting = self._shown.page.expect_response(lambda answer: "/context" in answer.url)
        self._waiting.__enter__()

    def __exit__(self, *error: object) -> None:
        self._waiting.__exit__(*error)
        self._shown.settled()
