"""Take the page's pictures in Chromium, for README and docs: ``docs/pictures/*.png``. ``python -m tools.pictures``.

Beside them ``page.sha256`` says of which page they are, so that a test tells when they are older than it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from tools.chromium import find_chromium
from tools.paths import ROOT, import_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "pictures"
STAMP = FOLDER / "page.sha256"
LARGEST = 200_000
_DESK = {"width": 1280, "height": 800}
_PHONE = {"width": 390, "height": 844}
_LOCALES = {"en": "en-US", "ja": "ja-JP"}
_MEMORY = {"policy": "summary_window", "trigger_tokens": 250, "keep": 120, "entities": True, "recall": True}
_SAID = {
    "en": (
        "My name is Naomi Watanabe. I live in Kyoto.",
        "I have a dog called Pochi. He eats only salmon.",
        "My sister Yuki lives in Osaka.",
        "I'm moving to Fukuoka next month.",
        "Which trains take dogs?",
        "Please remind me of the vet on Friday.",
        "It rained all day.",
        "What did I say about my dog's food?",
    ),
    "ja": (
        "私の名前は渡辺直美です。京都に住んでいます。",
        "犬を飼っています。犬の名前はポチです。",
        "妹は大阪に住んでいます。",
        "来月から福岡に住みます。",
        "犬も乗れる電車はありますか？",
        "金曜の動物病院を忘れないように言ってください。",
        "今日は一日雨でした。",
        "犬について何を話しましたか？",
    ),
}


@dataclass(frozen=True)
class Picture:
    """A picture: what it shows, in which language and scheme, on which screen."""

    shows: str
    language: str
    scheme: str = "light"

    @property
    def name(self) -> str:
        """Its file, without the suffix."""
        return f"{self.shows}-{self.language}-{self.scheme}"


PICTURES = tuple(
    Picture(shows, language, scheme)
    for language in _LOCALES
    for shows, scheme in (("line", "light"), ("line", "dark"), ("phone", "light"), ("memory", "light"))
)


def digest() -> str:
    """Give the hash of all that the page is made of."""
    files = sorted((ROOT / "page").iterdir())
    return hashlib.sha256(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in files)).hexdigest()


@contextmanager
def _server() -> Iterator[str]:
    """Run the dev server with nothing but embedded services, and give its address."""
    own = ("AWS_", "CHAT_", "CACHE_", "HISTORY_", "MOMENTO_", "OPENAI_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    clean["PYTHONPATH"] = os.pathsep.join(str(path) for path in import_paths())
    command = [sys.executable, "-m", "local", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None  # noqa: S101
            for line in process.stdout:
                if found := re.match(r"Omoide is ready: (http://\S+)/v1 ", line):
                    yield found[1]
                    return
            message = "the dev server ended before it was ready"
            raise RuntimeError(message)
        finally:
            process.terminate()


def _ask(address: str, user: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Local-User": user}
    with urlopen(Request(address + path, data, headers), timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def _remembered(address: str, picture: Picture) -> str:
    """Make a conversation with a summary and facts, and give its id."""
    conversation = str(_ask(address, picture.name, "/v1/conversations", {"memory": _MEMORY})["id"])
    for text in _SAID[picture.language]:
        _ask(address, picture.name, "/v1/responses", {"conversation": conversation, "input": text})
    for _ in range(300):
        told = _ask(address, picture.name, f"/v1/conversations/{conversation}/memory")
        if told["status"] == "current" and told["facts"]:
            return conversation
        time.sleep(0.1)
    message = "the summary did not come"
    raise RuntimeError(message)


def _line(page: Page) -> None:
    """Forget a name, and look at the line from nearby."""
    page.click("button.new")
    page.click(".welcome .main")
    page.wait_for_selector(".again button")
    page.wait_for_selector(".bars", state="attached")
    page.wait_for_selector(".rail li", state="attached")


def _try_window(page: Page) -> None:
    page.check("input[value=turn_window]", force=True)
    page.locator(".slider input").fill("2")
    page.wait_for_function("() => document.querySelectorAll('[data-in-view=true]').length === 4")
    page.wait_for_timeout(600)
    page.evaluate("document.querySelector('.log').scrollTo(0, 1e6)")


def _take(browser: Browser, address: str, picture: Picture) -> None:
    conversation = _remembered(address, picture) if picture.shows == "memory" else ""
    settings: dict[str, Any] = {
        "viewport": _PHONE if picture.shows == "phone" else _DESK,
        "locale": _LOCALES[picture.language],
        "color_scheme": picture.scheme,
        "reduced_motion": "reduce",
        "extra_http_headers": {"X-Local-User": picture.name},  # a rail of its own
    }
    context = browser.new_context(**settings)
    page = context.new_page()
    page.goto(f"{address}/#{conversation}")
    page.wait_for_selector("body[data-ready]")
    if conversation:
        page.click("#tab-memory")
        page.wait_for_selector(".graph")
    else:
        _line(page)
    if picture.shows == "line":
        _try_window(page)
    if picture.shows == "phone":
        page.locator("[data-in-view=false]").last.scroll_into_view_if_needed()
        page.locator(".chip").first.click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()


def main() -> int:
    """Take all pictures, and write of which page they are."""
    found = find_chromium()
    if found is None:
        print("Pictures need Chromium (Debian: apt-get install chromium); CHROMIUM=… names one.", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright, _server() as address:
        browser = playwright.chromium.launch(executable_path=found, args=["--disable-gpu"], chromium_sandbox=False)
        _ask(address, "nobody", "/v1/responses", {"input": "Hello"})  # the first turn finds nothing warm
        for picture in PICTURES:
            _take(browser, address, picture)
            size = (FOLDER / f"{picture.name}.png").stat().st_size
            print(f"docs/pictures/{picture.name}.png  {size:,} bytes")
        browser.close()
    STAMP.write_text(digest() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
