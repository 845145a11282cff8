"""The page of a dev server, in Chromium. Its model, Momento and AWS are the embedded ones, where tests can look."""

from __future__ import annotations

import importlib.util
import statistics
from typing import TYPE_CHECKING

import pytest

from local.embedded_aws import EmbeddedAws
from local.model.server import StandInModel
from tests.browser.shown import Shown
from tests.dev_server import RunningServer, running_server
from tools.chromium import find_chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from playwright.sync_api import Browser

    Show = Callable[..., Shown]

FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
_usable: list[float] = []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium of this machine; CHROMIUM names one."""
    found = find_chromium()
    if found is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium); CHROMIUM=… names one")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("what drives Chromium is not installed: `make browser` does it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox wants rights that a container does not give; the page is ours.
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def model(chromium: Browser) -> Iterator[StandInModel]:
    """The model, for its calls to be counted and its words to be slowed."""
    with StandInModel() as model:
        yield model


@pytest.fixture(scope="session")
def aws(chromium: Browser) -> Iterator[EmbeddedAws]:
    """The truth, for what is stored to be compared."""
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def server(model: StandInModel, aws: EmbeddedAws) -> Iterator[RunningServer]:
    """The server, with an embedded Momento: the page shows that one alone."""
    models = {"CHAT_MODEL": "gpt-4.1-mini", "ALLOWED_MODELS": "gpt-4.1-mini,gpt-4.1"}
    with running_server({"OPENAI_BASE_URL": model.base_url, "AWS_ENDPOINT_URL": aws.url, **models}) as server:
        yield server


@pytest.fixture
def quick_model(model: StandInModel) -> Iterator[StandInModel]:
    """The model again; what a test changes about its time is undone."""
    yield model
    model.delay = model.token = model.first_token = 0.0
    model.script.clear()


@pytest.fixture
def show(chromium: Browser, server: RunningServer, request: pytest.FixtureRequest) -> Iterator[Show]:
    """Open the page as somebody with this language, scheme and screen has it; what it should not do fails the test."""
    opened: list[Shown] = []

    def show(user: str = "", **settings: Any) -> Shown:
        user = user or f"{request.node.name}-{len(opened)}"
        shown = Shown(chromium, server.url.removesuffix("/v1"), user, **settings)
        opened.append(shown)
        return shown

    yield show
    for shown in opened:
        _usable.append(shown.usable_after)
        shown.close()
    for shown in opened:
        assert shown.elsewhere == []
        assert shown.dialogs == []
        assert shown.errors == []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell how soon the page could be used; that is no test, since it depends on the machine."""
    if _usable:
        times = f"median {statistics.median(_usable):.0f} ms, longest {max(_usable):.0f} ms of {len(_usable)}"
        terminalreporter.write_line(f"The page could be used after: {times}.")
