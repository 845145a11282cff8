"""Message contents and secrets stay out of the logs, whatever fails."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest

from chat_core.observability import logger
from local.model import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault.conftest import World

CANARIES = ("canary-in-text", "canary-in-instructions", "canary-in-item", "sk-fake-not-a-key", "canary-key", "カナリア")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger writes, ours as it goes to CloudWatch."""
    stream = io.StringIO()
    ours, others = logging.StreamHandler(stream), logging.StreamHandler(stream)
    ours.setFormatter(logger().registered_formatter)
    logger().addHandler(ours)
    logging.getLogger().addHandler(others)
    yield stream
    logging.getLogger().removeHandler(others)
    logging.getLogger(logger().name).removeHandler(ours)


def test_nothing_of_what_was_said_is_logged(
    world: World, capfd: pytest.CaptureFixture[str], logged: io.StringIO
) -> None:
    headers = {"idempotency-key": "canary-key"}
    text = {"instructions": "canary-in-instructions"}
    item = {"items": [{"role": "user", "content": "canary-in-item"}]}

    def everything() -> None:
        world.turn("talk", "canary-in-text カナリア", **text)
        world.turn("talk", "canary-in-text カナリア", headers=headers, **text)
        world.call("POST", "/v1/conversations/talk/items", item)
        world.call("POST", "/v1/conversations", {"items": [{"content": "canary-in-text"}], "metadata": 3})
        world.call("POST", "/v1/responses", b'{"input": "canary-in-text')
        world.call("GET", "/v1/conversations/talk/items", query={"after": "canary-in-text"})

    everything()
    for script in ([faults.http_error(500, message="canary-in-text")] * 2, [faults.malformed_json()] * 2):
        world.model.script.extend(script)
        everything()
        world.model.script.clear()
    world.momento.faults.fail()
    everything()
    world.momento.faults.clear()
    world.momento.faults.exceed_quota()
    everything()
    world.momento.faults.clear()
    world.throttle("UpdateItem", 9)
    everything()
    world.stores.history.commit = None  # type: ignore[assignment,method-assign]
    everything()
    printed = "".join(capfd.readouterr()) + logged.getvalue()
    assert '"status":200' in printed
    assert '"status":503' in printed
    for canary in CANARIES:
        assert canary not in printed
