"""A server that lets nobody in without a key asks for one, and the page forgets it with its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.browser.shown import Shown
from tests.dev_server import running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_a_key_is_asked_for_and_kept_in_the_page_alone(chromium: Browser) -> None:
    with running_server(args=["--authorizer", "keys"]) as server:
        address = server.url.removesuffix("/v1")
        assert f"Page     {address}/" in server.output()
        found = re.search(r"Key +(\S+) \(the user local\)", server.output())
        assert found is not None
        shown = Shown(chromium, address, "")
        assert shown.texts(".trouble") == []
        assert shown.page.locator("#draft").count() == 0
        shown.page.fill("#key", "omoide_wrong")
        shown.page.press("#key", "Enter")
        shown.page.wait_for_selector(".trouble")
        shown.page.fill("#key", found[1])
        shown.page.press("#key", "Enter")
        shown.page.wait_for_selector("#draft")
        assert shown.texts(".trouble") == []
        assert "Naomi Watanabe" in shown.say("My name is Naomi Watanabe.")
        assert shown.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])") == (
            '[{},{},""]'
        )
        shown.page.reload()
        shown.page.wait_for_selector("#key")
        shown.close()
