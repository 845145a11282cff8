from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.messages import HttpRequest, HttpResponse
from local.momento import EmbeddedMomento
from local.page import FOLDER, Front

if TYPE_CHECKING:
    from local.gateway import Gateway

FILES = sorted(FOLDER.iterdir())
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in FILES}


class Behind:
    """A gateway that answers everything with 418."""

    def answer(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(418, (), b"")

    def bad_request(self, status: int) -> HttpResponse:
        return HttpResponse(status, (), b"")


def asked(path: str, *, method: str = "GET", momento: EmbeddedMomento | None = None) -> HttpResponse:
    front = Front(cast("Gateway", Behind()), momento)
    answer = front.answer(HttpRequest(method, path, "", (), b"", "127.0.0.1"))
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize("path", ["/", *(f"/page/{path.name}" for path in FILES)])
def test_every_file_is_served_under_the_policy(path: str) -> None:
    answer = asked(path)
    headers = dict(answer.headers)
    assert answer.status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "trusted-types 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["none.js", "../README.md", "%2e%2e%2fREADME.md", "..%2Flocal%2Fpage.py", "", "x/y.js"]
)
def test_nothing_else_is_served(name: str) -> None:
    answer = asked(f"/page/{name}")
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("GET", "/v1/conversations"), ("GET", "/_local/momento/x")]
)
def test_all_else_is_the_gateways(method: str, path: str) -> None:
    assert asked(path, method=method).status == 418


def test_the_page_is_small() -> None:
    assert sum(path.stat().st_size for path in FILES) <= 80_000


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_no_text_becomes_html_or_a_script(name: str) -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert word not in SOURCES[name]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_nothing_is_asked_of_another_host(name: str) -> None:
    for found in re.findall(r"https?://[^\s\"'`)]*", SOURCES[name]):
        assert found.startswith(("http://www.w3.org/", "https?:")), found


WORDS = re.findall(r"^  (\w+): \[\"(.+)\", \"(.+)\"\],$", SOURCES["i18n.js"], re.MULTILINE)


def test_every_word_is_said_in_both_languages() -> None:
    lines = SOURCES["i18n.js"].partition("export const WORDS = {\n")[2].partition("\n};")[0].splitlines()
    assert len(WORDS) == len(lines) > 80
    assert len({key for key, *_ in WORDS}) == len(WORDS)
    for _, english, japanese in WORDS:
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", japanese))


def test_every_word_that_is_said_is_known() -> None:
    known = {key for key, *_ in WORDS}
    said = {found for text in SOURCES.values() for found in re.findall(r"\bt\(\"(\w+)\"", text)}
    assert said <= known


def test_no_word_is_left_that_nobody_says() -> None:
    code = "".join(text for name, text in SOURCES.items() if name != "i18n.js")
    put_together = ("part_", "reason_", "status_", "stage_")
    for key, *_ in WORDS:
        assert key.startswith(put_together) or re.search(rf"\b{key}\b", code) or key in SPOKEN_BY_VALUE, key


# A status of the cache or of a fact is its word's key.
SPOKEN_BY_VALUE = {"miss", "bypass", "superseded", "retracted"}


def momento_of(conversation: str, momento: EmbeddedMomento) -> dict[str, Any]:
    answer = asked(f"/_local/momento/{conversation}", momento=momento)
    assert answer.status == 200
    return cast("dict[str, Any]", json.loads(answer.body))


def test_what_the_embedded_momento_holds_is_shown_and_can_be_wiped() -> None:
    momento = EmbeddedMomento()
    momento.caches.create("omoide")
    cache = momento.caches.get("omoide")
    cache.put(b"message_store:local/naomi", (b'{"type":"human"}', "思".encode()), 60_000)
    cache.put(b"memory:local/naomi", b"\x00\x01", 60_000)
    held = momento_of("naomi", momento)
    assert held["list"]["elements"] == ['{"type":"human"}', "思"]
    assert held["list"]["bytes"] == 16 + 3
    assert 58 < held["memory"]["expires_in"] <= 60
    assert momento_of("other", momento)["list"] is None
    assert momento.meter.snapshot().operations == 0
    assert asked("/_local/momento", method="DELETE", momento=momento).status == 200
    assert momento_of("naomi", momento) == {"object": "momento", "list": None, "memory": None, "operations": None}


@pytest.mark.parametrize("name", ["", "a/b", ".."])
def test_what_names_no_conversation_is_the_gateways(name: str) -> None:
    assert asked(f"/_local/momento/{name}", momento=EmbeddedMomento()).status == 418
