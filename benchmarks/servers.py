"""The embedded servers that both sides talk to, in a process of their own: its time is nobody's.

``python -m benchmarks.servers`` says what the sides find in their environment, then takes commands.
"""

from __future__ import annotations

import time
from typing import Any

import grpc

from benchmarks.program import ROOT, serve
from local.application import read_application
from local.aws import start_aws
from local.embedded_aws import EmbeddedAws
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from local.momento.errors import OPERATIONS_RATE, Refused
from local.momento.faults import Fault, Faults
from local.services import start_momento


class Watched(Faults):
    """The faults of the embedded Momento, with a look at when calls come, and the quota of an account.

    Attributes
    ----------
    arrivals
        When calls came, since the last look.
    quota
        Operations a second, None for no limit.
    refused
        Calls that were beyond it.
    """

    def __init__(self, momento: EmbeddedMomento) -> None:
        super().__init__(())
        self.arrivals: list[float] = []
        self.quota: int | None = None
        self.refused = 0
        self._momento = momento
        self._second = 0
        self._before = 0

    def next(self, rpc: str) -> Fault | None:
        now = time.monotonic()
        self.arrivals.append(now)
        if self.quota is None:
            return super().next(rpc)
        operations = self._momento.meter.snapshot().operations
        if int(now) != self._second:
            self._second, self._before = int(now), operations
        if operations - self._before < self.quota:
            return None
        self.refused += 1
        return Fault(Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "operations rate limit exceeded", OPERATIONS_RATE))


class Servers:
    """Momento, AWS and the model, and what they counted."""

    def __init__(self, momento: EmbeddedMomento, model: StandInModel, aws: EmbeddedAws) -> None:
        self._momento = momento
        self._model = model
        self._aws = aws
        self._faults = momento.faults = Watched(momento)
        self._rtt = 0.0
        self._model_calls = 0

    def counted(self) -> dict[str, Any]:
        """Tell what came since the last time that this was asked.

        ``in_a_row`` counts the calls of Momento that waited for another one: it takes a round trip to tell.
        """
        metered = self._momento.meter.snapshot()
        self._momento.meter.reset()
        calls = sum(self._model.calls.values())
        asked, self._model_calls = calls - self._model_calls, calls
        arrivals, self._faults.arrivals = sorted(self._faults.arrivals), []
        stages, begun = 0, float("-inf")
        for arrival in arrivals:
            if arrival >= begun + self._rtt:
                stages, begun = stages + 1, arrival
        return {
            "calls": dict(metered.calls),
            "momento_calls": len(arrivals),
            "in_a_row": stages,
            "operations": metered.operations,
            "bytes_read": metered.bytes_read,
            "bytes_written": metered.bytes_written,
            "model_calls": asked,
        }

    def slow(self, *, rtt: float = 0.0, model: float = 0.0) -> None:
        """Let each call of a store take ``rtt`` seconds longer, and each of the model ``model``."""
        self._faults.clear()
        if rtt:
            self._faults.delay(rtt)
        self._rtt = self._aws.delay = rtt
        self._model.delay = model

    def quota(self, *, operations: int | None) -> int:
        """Refuse Momento's calls beyond so many operations a second; how many were refused before."""
        refused, self._faults.refused, self._faults.quota = self._faults.refused, 0, operations
        return refused


def main() -> None:
    tables = read_application(ROOT / "template.yaml").tables
    with EmbeddedMomento() as momento, StandInModel() as model, EmbeddedAws() as aws:
        region = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
        variables = start_aws({"AWS_ENDPOINT_URL": aws.url, **region}, tables).variables
        address = f"127.0.0.1:{momento.port}"
        start_momento({"MOMENTO_LOCAL": address})
        servers = Servers(momento, model, aws)
        hello = {
            **{name: value for name, value in variables.items() if value},
            "AWS_ACCESS_KEY_ID": "fake-offline-id",
            "AWS_SECRET_ACCESS_KEY": "fake-offline-secret",
            "MOMENTO_LOCAL": address,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-fake-not-a-key",
            "HISTORY_TABLE": tables[0].name,
        }
        serve({"counted": servers.counted, "slow": servers.slow, "quota": servers.quota}, hello)


if __name__ == "__main__":
    main()
