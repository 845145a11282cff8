"""What the response cache is worth, and what it costs when Momento fails, beside LangChain's MomentoCache.

``repeated``: by route of ours (``responses`` with ``store: false``, ``stored`` without it, ``turn``: a question that
begins a conversation) and
``langchain``: ``miss_ms``, ``hit_ms``, ``faster`` (a share of 1). ``identical``: the model's calls for so many
identical ``requests`` at once. ``momento_fails``: by fault, milliseconds beyond the model's before the breaker opens,
and after.

All in one run on the same embedded Momento. Our figures are end to end: a client of the dev server, whose functions
call a model of 300 ms over HTTP. LangChain's are calls of its own `LLM` in this process, whose model sleeps 300 ms:
its cache works with completions models alone, so there is no HTTP on its side of the comparison.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from langchain_community.cache import MomentoCache
from langchain_core.language_models.llms import LLM
from momento import CacheClient, Configurations, CredentialProvider

from benchmarks.sides import Stage, spread
from chat_core.momento.breaker import OPEN_SECONDS
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.dev_server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODEL_SECONDS = 0.3
ROUNDS = 15
FAULT_ROUNDS = 9
ENVIRONMENTS = 4
STAMPEDE = 100
ROUTES: dict[str, Callable[[str], dict[str, Any]]] = {
    "turn": lambda text: {"model": "gpt-4.1-mini", "input": text, "conversation": f"cached-{uuid4().hex}"},
    "responses": lambda text: {"model": "gpt-4.1-mini", "input": text, "store": False},
    "stored": lambda text: {"model": "gpt-4.1-mini", "input": text},
    "chat/completions": lambda text: {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": text}]},
    "embeddings": lambda text: {"model": "text-embedding-3-small", "input": text, "encoding_format": "base64"},
}


class SleepingModel(LLM):
    """A completions model of LangChain's that takes as long as ours."""

    calls: int = 0

    @property
    def _llm_type(self) -> str:
        return "sleeping"

    def _call(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **_: Any) -> str:
        self.calls += 1
        time.sleep(MODEL_SECONDS)
        return f"An answer to {prompt}"


@dataclass(frozen=True)
class Answer:
    """How long it took, in seconds, what became of it (HIT, MISS, BYPASS, or an error's status), and its text."""

    seconds: float
    status: str
    detail: str
    text: str


def ask(url: str, endpoint: str, text: str) -> Answer:
    body = json.dumps(ROUTES[endpoint](text))
    start = time.perf_counter()
    path = "responses" if endpoint in ("turn", "stored") else endpoint
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("POST", f"/v1/{path}", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    seconds = time.perf_counter() - start
    status = response.headers["x-cache"] if response.status == 200 else str(response.status)
    if response.status in (400, 401, 404, 500):  # no machine is too busy for those
        message = f"{endpoint} answered {response.status}: {answer}"
        raise RuntimeError(message)
    kept = {name: value for name, value in answer.items() if name not in ("id", "omoide", "usage")}
    return Answer(seconds, status, response.headers["cache-status"] or "", json.dumps(kept, sort_keys=True))


def compared(miss: Sequence[float], hit: Sequence[float]) -> dict[str, Any]:
    faster = 1 - statistics.median(hit) / statistics.median(miss)
    told = {"miss_ms": spread(miss, scale=1000, digits=1), "hit_ms": spread(hit, scale=1000, digits=1)}
    return {**told, "faster": round(faster, 4)}


def hits_and_misses(url: str, model: StandInModel, langchain: SleepingModel) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for endpoint in ROUTES:
        ask(url, endpoint, "warm up")
        first = [ask(url, endpoint, f"{endpoint} question {number}") for number in range(ROUNDS)]
        before = sum(model.calls.values())
        again = [ask(url, endpoint, f"{endpoint} question {number}") for number in range(ROUNDS)]
        calls = sum(model.calls.values()) - before
        # On a busy machine, who waits too long for the cache asks the model: told, not hidden.
        hits = Counter(answer.status for answer in again)
        seconds = [answer.seconds for answer in again]
        misses = _seconds(first, "MISS") or [answer.seconds for answer in first]
        found[endpoint] = {**compared(misses, seconds), "hits": hits["HIT"], "model_calls": calls}
    found["langchain"] = compared(timed(langchain, "question"), timed(langchain, "question"))
    return found


def _seconds(answers: Sequence[Answer], status: str) -> list[float]:
    return [answer.seconds for answer in answers if answer.status == status]


def timed(langchain: SleepingModel, text: str) -> list[float]:
    seconds = []
    for number in range(ROUNDS):
        start = time.perf_counter()
        langchain.invoke(f"{text} {number}")
        seconds.append(time.perf_counter() - start)
    return seconds


def rush(urls: Sequence[str], text: str) -> list[Answer]:
    """Ask the same many times at once."""
    with ThreadPoolExecutor(STAMPEDE) as threads:
        return list(threads.map(lambda number: ask(urls[number % len(urls)], "responses", text), range(STAMPEDE)))


def stampede(urls: Sequence[str], model: StandInModel, langchain: SleepingModel) -> dict[str, Any]:
    before = sum(model.calls.values())
    start = time.perf_counter()
    answers = rush(urls, "stampede")
    took = time.perf_counter() - start
    calls = sum(model.calls.values()) - before
    ours = {"model_calls": calls, "seconds": round(took, 2), "answers": len({each.text for each in answers})}
    before = langchain.calls
    start = time.perf_counter()
    with ThreadPoolExecutor(STAMPEDE) as threads:
        list(threads.map(langchain.invoke, ["stampede"] * STAMPEDE))
    took = time.perf_counter() - start
    theirs = {"model_calls": langchain.calls - before, "seconds": round(took, 2)}
    return {"requests": STAMPEDE, "servers": len(urls), "omoide": ours, "langchain": theirs}


FAULTS: dict[str, Callable[[EmbeddedMomento], None]] = {
    "refuses": lambda momento: momento.faults.fail(),
    "hangs": lambda momento: momento.faults.hang(),
    "is 400 ms slow": lambda momento: momento.faults.delay(0.4),
    "is wiped before each": lambda momento: momento.wipe(),
}


def failing(url: str, momento: EmbeddedMomento) -> dict[str, Any]:
    """Ask what nobody has asked: with one environment, so that it is one breaker that opens."""
    found = {}
    for fault, happen in FAULTS.items():
        closed: list[float] = []
        opened: list[float] = []
        for number in range(FAULT_ROUNDS):
            happen(momento)
            answer = ask(url, "responses", f"{fault} {number}")
            (opened if "breaker-open" in answer.detail else closed).append(answer.seconds - MODEL_SECONDS)
        found[fault] = {
            name: spread(seconds, scale=1000, digits=1)
            for name, seconds in (("closed_ms", closed), ("open_ms", opened))
            if seconds
        }
        momento.faults.clear()
        time.sleep(OPEN_SECONDS + 1)
        ask(url, "responses", f"after {fault}")
    return found


def measure(_stage: Stage, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run both, on servers of this part's own."""
    found: dict[str, Any] = {}
    with EmbeddedMomento() as momento, StandInModel() as model:
        model.delay = MODEL_SECONDS
        variables = {"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}", "OPENAI_BASE_URL": model.base_url}
        few = ["--environments", str(ENVIRONMENTS)]
        credentials = CredentialProvider.for_momento_local("127.0.0.1", momento.port)
        with (
            CacheClient(Configurations.Lambda.latest(), credentials, timedelta(hours=1)) as client,
            running_server(variables, few) as one,
            running_server(variables, few) as other,
        ):
            langchain = SleepingModel(cache=MomentoCache(client, "langchain"))
            tell("a repeated question")
            found["repeated"] = hits_and_misses(one.url, model, langchain)
            tell(f"{STAMPEDE} identical requests at once")
            # Environments that have started: how long that takes is another question.
            rush([one.url, other.url], "warm up")
            found["identical"] = stampede([one.url, other.url], model, langchain)
        with running_server(variables, ["--environments", "1"]) as server:
            tell("Momento fails")
            ask(server.url, "responses", "warm up")
            found["momento_fails"] = failing(server.url, momento)
    return found
