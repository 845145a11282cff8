"""Starts the functions that no request starts: by a table's stream, by a schedule."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from local.aws import stream_of
from local.invocation import FunctionFailed, whole
from local.stream_lane import Target
from local.stream_poller import StreamPoller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.application import Application
    from local.event_sources import Schedule
    from local.invocation import Integration, Invoked
    from local.services import Service

_FOR_EVER = 1e6


class Triggers:
    """All of a template's event sources and schedules.

    Parameters
    ----------
    application
        The template.
    pools
        The functions by their logical ids.
    aws
        Where the tables are.
    say
        Tells the person a line.
    """

    def __init__(
        self, application: Application, pools: Mapping[str, Integration], aws: Service, *, say: Callable[[str], None]
    ) -> None:
        self._stopped = threading.Event()
        self._pollers: list[StreamPoller] = []
        self._schedules: list[tuple[Schedule, Callable[[bytes], Any]]] = []
        for function in application.functions:
            invoke = partial(self._invoke, function.name, pools[function.name].invoke, say)
            self._schedules += [(schedule, invoke) for schedule in function.schedules]
            for source in function.streams:
                stream = stream_of(os.environ.get("HISTORY_TABLE") or source.table, aws)
                self._pollers.append(StreamPoller(source, stream, Target(invoke, say)))

    def start(self) -> None:
        """Begin to start functions."""
        for poller in self._pollers:
            poller.start()
        for schedule, invoke in self._schedules:
            threading.Thread(target=self._repeat, args=(schedule, invoke), daemon=True).start()

    def stop(self) -> None:
        """Start no further function."""
        self._stopped.set()
        for poller in self._pollers:
            poller.stop()

    def _invoke(
        self, name: str, begin: Callable[..., Invoked], say: Callable[[str], None], event: bytes
    ) -> bytes | None:
        trace_id = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        try:
            return whole(begin(event, trace_id=trace_id), _FOR_EVER)  # the function has its own time
        except FunctionFailed as failure:
            if not self._stopped.is_set():
                say(f"{name}: {failure}")
            return None

    def _repeat(self, schedule: Schedule, invoke: Callable[[bytes], Any]) -> None:
        while not self._stopped.wait(schedule.seconds):
            event = scheduled_event(schedule.name, time.time()) if schedule.event is None else schedule.event
            invoke(json.dumps(event).encode())


def scheduled_event(name: str, now: float) -> dict[str, Any]:
    """Build the event of a schedule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html

    Parameters
    ----------
    now
        Seconds since the epoch.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:123456789012:rule/{name}"],
        "detail": {},
    }
