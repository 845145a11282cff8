"""How far behind the model's tokens a client of the dev server sees them, and what an event costs.

``first_token``: by ``model``, ``stateless`` and ``turn``: ``first_ms`` (to the first token), ``gap_ms`` between tokens;
and for ours ``behind_ms``, the first token's lag behind the model's own.

All in one run: the same stand-in model is read directly, and through `make run`'s server by calls without a
conversation and by turns. A token of the model is an event of its stream.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.sides import Stage, middle, spread
from local.model.answers import Reply
from local.model.faults import Fault
from local.model.server import StandInModel
from tests.dev_server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIRST_TOKEN = 0.5
TOKEN = 0.05
ROUNDS = 7
LONG_ANSWERS = 10
TOKENS = 8
MOST_TOKENS = 250


@dataclass(frozen=True)
class Heard:
    """When the events of one answer were with the client: seconds after the request was sent."""

    created: float
    deltas: tuple[float, ...]
    events: int


def ask(model: StandInModel, url: str, *, tokens: int = TOKENS, **members: Any) -> Heard:
    model.script.append(Fault(change=lambda _: Reply(text="word of sixteen " * tokens)))
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=60)
    body = {"model": "gpt-4.1-mini", "input": f"Tell me of {uuid4().hex}.", "stream": True, **members}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer fake"}
    start = time.perf_counter()
    connection.request("POST", f"{target.path}/responses", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    created, events, deltas, last = 0.0, 0, [], b""
    while line := answer.readline():
        if line.startswith(b"event: "):
            now = time.perf_counter() - start
            created = created or now
            events, last = events + 1, line
            if line == b"event: response.output_text.delta\n":
                deltas.append(now)
    assert last == b"event: response.completed\n", last
    connection.close()
    return Heard(created, tuple(deltas), events)


def told(heard: Sequence[Heard], model: float | None = None) -> dict[str, Any]:
    """Tell what one kind of call heard, and how far it lies behind the model."""
    first = [one.deltas[0] for one in heard]
    gaps = [after - before for one in heard for before, after in zip(one.deltas, one.deltas[1:], strict=False)]
    figures = {"first_ms": spread(first, scale=1000, digits=1), "gap_ms": spread(gaps, scale=1000, digits=1)}
    return figures if model is None else {**figures, "behind_ms": round(figures["first_ms"]["median"] - model, 1)}


def processor_seconds(server: int) -> float:
    """Add up the processor time of the chat function's environments."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            variables = (status.parent / "environ").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == server and b"AWS_LAMBDA_FUNCTION_NAME=ChatFunction\0" in variables:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cost(server: int, call: Callable[[int], Heard]) -> dict[str, Any]:
    """Tell what an event costs: of long answers, what short ones cost taken off."""
    spent, events = [], []
    for tokens in (1, MOST_TOKENS):
        before = processor_seconds(server)
        events.append(sum(call(tokens).events for _ in range(LONG_ANSWERS)))
        spent.append(processor_seconds(server) - before)
    each = (spent[1] - spent[0]) / (events[1] - events[0])
    return {"cpu_ms_1000_events": round(1e6 * each), "cpu_ms_request": round(1000 * spent[0] / LONG_ANSWERS)}


def measure(_stage: Stage, tell: Callable[[str], None]) -> dict[str, Any]:
    """Stream from a server of this part's own."""
    with StandInModel() as model, running_server({"OPENAI_BASE_URL": model.base_url}) as server:
        conversation = f"streaming-{uuid4().hex}"
        tell("time to the first token")
        for _ in range(2):  # what is imported and connected once
            ask(model, server.url)
            ask(model, server.url, conversation=conversation)
        model.first_token, model.token = FIRST_TOKEN, TOKEN
        found = {"model": told([ask(model, model.base_url) for _ in range(ROUNDS)])}
        direct = middle(found["model"]["first_ms"])
        found["stateless"] = told([ask(model, server.url) for _ in range(ROUNDS)], direct)
        found["turn"] = told([ask(model, server.url, conversation=conversation) for _ in range(ROUNDS)], direct)
        model.first_token = model.token = 0.0
        if sys.platform == "linux":
            tell("what an event of a stream costs")
            for name, members in (("stateless", {}), ("turn", {"conversation": f"{conversation}-long"})):

                def call(tokens: int, members: dict[str, str] = members) -> Heard:
                    return ask(model, server.url, tokens=tokens, **members)

                found[name] |= cost(server.process.pid, call)
        return {"first_token": found}
