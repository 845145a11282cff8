"""API Gateway hands on a path as it came: the ids in it may be percent-encoded, and mean what they mean decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.app import App


@pytest.mark.parametrize("written", ["a:b-%31", "a%3Ab-1", "%61%3a%62-1"])
def test_a_conversation_is_found_however_its_id_is_written(app: App, written: str) -> None:
    assert app.turn("a:b-1", "hi", user="encoded").status == 200
    path = f"/v1/conversations/{written}"
    assert app.call("GET", path, user="encoded").body["id"] == "a:b-1"
    assert app.call("GET", f"{path}/items", user="encoded").body["data"]
    assert app.call("GET", f"{path}/context", user="encoded").body["conversation"] == "a:b-1"


def test_an_item_is_found_however_its_id_is_written(app: App) -> None:
    app.turn("encoded-items", "hi", user="encoded")
    path = "/v1/conversations/encoded-items/items"
    item = app.call("GET", path, user="encoded").body["data"][0]
    written = "".join(f"%{ord(character):02X}" for character in item["id"])
    assert app.call("GET", f"{path}/{written}", user="encoded").body == item
    assert app.call("DELETE", f"{path}/{written}", user="encoded").status == 200
    assert app.call("GET", f"{path}/{item['id']}", user="encoded").status == 404


def test_a_path_is_decoded_once(app: App) -> None:
    answer = app.call("GET", "/v1/conversations/a%253Ab")
    assert (answer.status, answer.error["param"]) == (400, "conversation_id")
