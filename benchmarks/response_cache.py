"""What the response cache is worth, and what it costs when Momento fails, beside LangChain's MomentoCache.

All in one run on the same embedded Momento. Our figures are end to end: a client of the dev server, whose functions
call a model of 300 ms over HTTP. LangChain's are calls of its own `LLM` in this process, whose model sleeps 300 ms:
its cache works with completions models alone, so there is no HTTP on its side of the comparison.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from langchain_community.cache import MomentoCache
from langchain_core.language_models.llms import LLM
from momento import CacheClient, Configurations, CredentialProvider

from benchmarks.key import best, bodies
from chat_core.momento.breaker import OPEN_SECONDS
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.dev_server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODEL_SECONDS = 0.3
ROUNDS = 15
ENVIRONMENTS = 4
STAMPEDE = 100
ROUTES: dict[str, Callable[[str], dict[str, Any]]] = {
    "responses": lambda text: {"model": "gpt-4.1-mini", "input": text},
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
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request("POST", f"/v1/{endpoint}", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    seconds = time.perf_counter() - start
    status = response.headers["x-cache"] if response.status == 200 else str(response.status)
    if response.status in (400, 401, 404, 500):  # no machine is too busy for those
        sys.exit(f"{endpoint} answered {response.status}: {answer}")
    kept = {name: value for name, value in answer.items() if name not in ("id", "omoide", "usage")}
    return Answer(seconds, status, response.headers["cache-status"] or "", json.dumps(kept, sort_keys=True))


def milliseconds(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:8.1f} ms" if seconds else f"{'-':>11}"


def row(name: str, miss: Sequence[float], hit: Sequence[float]) -> None:
    faster = f"{1 - statistics.median(hit) / statistics.median(miss):.1%}" if hit and miss else "-"
    print(f"{name:<34}{milliseconds(miss)}{milliseconds(hit)}{faster:>10}")


def hits_and_misses(url: str, model: StandInModel, langchain: SleepingModel) -> None:
    print(f"{'median of ' + str(ROUNDS):<34}{'miss':>11}{'hit':>11}{'faster':>10}")
    for endpoint in ROUTES:
        ask(url, endpoint, "warm up")
        first = [ask(url, endpoint, f"question {number}") for number in range(ROUNDS)]
        before = sum(model.calls.values())
        again = [ask(url, endpoint, f"question {number}") for number in range(ROUNDS)]
        calls = sum(model.calls.values()) - before
        row(f"Omoide, /v1/{endpoint}", _seconds(first, "MISS"), _seconds(again, "HIT"))
        judge(again, {"HIT": ROUNDS}, calls, 0)
    row("LangChain's MomentoCache", timed(langchain, "question"), timed(langchain, "question"))


def _seconds(answers: Sequence[Answer], status: str) -> list[float]:
    return [answer.seconds for answer in answers if answer.status == status]


def judge(answers: Sequence[Answer], wanted: dict[str, int], calls: int, wanted_calls: int) -> None:
    """Say, behind the figure, where it is not what it should be."""
    found = dict(Counter(answer.status for answer in answers))
    if found != wanted or calls != wanted_calls:
        print(f"  ({found}, {calls} calls: on a busy machine, who waits too long for the cache asks the model)")


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


def stampede(urls: Sequence[str], model: StandInModel, langchain: SleepingModel) -> None:
    print(f"\n{STAMPEDE} identical requests at once{'model calls':>16}{'last answer':>14}")
    before = sum(model.calls.values())
    start = time.perf_counter()
    answers = rush(urls, "stampede")
    took = time.perf_counter() - start
    calls = sum(model.calls.values()) - before
    print(f"{'Omoide, two servers':<31}{calls:>16}{took:>12.1f} s  {len({each.text for each in answers})} answer(s)")
    judge(answers, {"MISS": 1, "HIT": STAMPEDE - 1}, calls, 1)
    before = langchain.calls
    start = time.perf_counter()
    with ThreadPoolExecutor(STAMPEDE) as threads:
        list(threads.map(langchain.invoke, ["stampede"] * STAMPEDE))
    took = time.perf_counter() - start
    print(f"{'LangChain, one process':<31}{langchain.calls - before:>16}{took:>12.1f} s")


FAULTS: dict[str, Callable[[EmbeddedMomento], None]] = {
    "refuses": lambda momento: momento.faults.fail(),
    "hangs": lambda momento: momento.faults.hang(),
    "is 400 ms slow": lambda momento: momento.faults.delay(0.4),
    "is wiped before each": lambda momento: momento.wipe(),
}


def failing(url: str, momento: EmbeddedMomento) -> None:
    """Ask what nobody has asked: with one environment, so that it is one breaker that opens."""
    name = f"median of {ROUNDS}, beyond the model's time"
    print(f"\n{name:<38}{'before the breaker opens':>26}{'after':>12}")
    for fault, happen in FAULTS.items():
        closed: list[float] = []
        opened: list[float] = []
        for number in range(ROUNDS):
            happen(momento)
            answer = ask(url, "responses", f"{fault} {number}")
            (opened if "breaker-open" in answer.detail else closed).append(answer.seconds - MODEL_SECONDS)
        print(f"Momento {fault:<30}{milliseconds(closed):>26}{milliseconds(opened):>12}")
        momento.faults.clear()
        time.sleep(OPEN_SECONDS + 1)
        ask(url, "responses", f"after {fault}")


def main() -> None:
    print("What a key costs, once a request")
    for name, body in bodies().items():
        print(f"  {name:<22}{best(body):>10.1f} µs")
    print()
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
            hits_and_misses(one.url, model, langchain)
            # Environments that have started: how long that takes is another question.
            rush([one.url, other.url], "warm up")
            stampede([one.url, other.url], model, langchain)
        with running_server(variables, ["--environments", "1"]) as server:
            ask(server.url, "responses", "warm up")
            failing(server.url, momento)


if __name__ == "__main__":
    main()
