"""How soon the page can be used, and how soon the first words are on the screen: ``make page``.

Chromium and the dev server run on this machine, warm. The model is the stand-in, with 200 ms before each delta.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from typing import TYPE_CHECKING

from local.model.server import StandInModel
from tests.dev_server import running_server
from tools.chromium import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

TIMES = 7
DELTA_SECONDS = 0.2
_QUESTION = "Tell me something about the weather in Osaka, and about the sea, and about the trains there."
_USABLE = "performance.getEntriesByName('usable')[0].startTime"
# From the key that sends until words are drawn.
_FIRST_WORDS = """() => new Promise(done => {
    document.querySelector('#draft').addEventListener('keydown', pressed => {
        const look = () => {
            const words = document.querySelector('#answering')?.innerText;
            if (words && words !== '…') done(performance.now() - pressed.timeStamp);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }, { once: true });
})"""


def measured(page: Page, address: str) -> tuple[list[float], list[float]]:
    """Tell the milliseconds until the page can be used, and until the first words of an answer are drawn."""
    usable, words = [], []
    for number in range(-2, TIMES):  # twice for warmth
        page.goto("about:blank")
        page.goto(f"{address}/")
        page.wait_for_selector("body[data-ready]")
        page.click("button.new")
        page.fill("#draft", f"{number}. {_QUESTION}")
        page.evaluate(f"void (window.firstWords = ({_FIRST_WORDS})())")
        page.press("#draft", "Enter")
        found = float(page.evaluate("window.firstWords"))
        page.wait_for_selector(".again button", state="attached")
        if number >= 0:
            usable.append(float(page.evaluate(_USABLE)))
            words.append(found)
    return usable, words


def told(what: str, times: list[float], target: int) -> str:
    """Write a line of figures."""
    return (
        f"{what}: median {statistics.median(times):.0f} ms, longest {max(times):.0f} ms of {len(times)} (≤ {target} ms)"
    )


def main() -> int:
    """Measure, and print the figures."""
    found = find_chromium()
    if found is None or importlib.util.find_spec("playwright") is None:
        print("Not measured: there is no Chromium here (Debian: apt-get install chromium); CHROMIUM=… names one.")
        return 0
    from playwright.sync_api import sync_playwright

    with StandInModel() as model, sync_playwright() as playwright:
        model.token = model.first_token = DELTA_SECONDS
        browser = playwright.chromium.launch(executable_path=found, args=["--disable-gpu"], chromium_sandbox=False)
        with running_server({"OPENAI_BASE_URL": model.base_url, "CHAT_MODEL": "gpt-4.1-mini"}) as server:
            usable, words = measured(browser.new_page(), server.url.removesuffix("/v1"))
        browser.close()
    print(told("The page can be used after", usable, 1_500))
    print(told("First words on the screen, with 200 ms before each delta", words, 400))
    return 0


if __name__ == "__main__":
    sys.exit(main())
