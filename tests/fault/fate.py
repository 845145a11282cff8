"""What befalls the services of a dev server: drawn by a seed, and more the more is posted."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Self

from local.model.faults import cut_connection, http_error, malformed_json, rate_limited, slow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from local.model.faults import Fault
    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento
    from tests.fault.gate import Gate

SHARE = 0.6
"""Of posts before which something happens."""

KILL_SHARE = 0.08
"""Of posts before which an environment is doomed: its conversation waits for the lease."""

AWAY_SECONDS = 0.7


class Fate:
    """Lets things happen, one at a time, until the block ends; then all is well again.

    Parameters
    ----------
    momento, model
        The services whose faults are set.
    table, cache
        The ways to DynamoDB and to Momento.
    marker
        The file at which an environment ends itself.
    """

    def __init__(
        self, seed: int, *, momento: EmbeddedMomento, model: StandInModel, table: Gate, cache: Gate, marker: Path
    ) -> None:
        self._random = random.Random(seed)
        self._momento = momento
        self._model = model
        self._gates = {"DynamoDB": table, "Momento": cache}
        self._marker = marker
        self._lock = threading.Lock()
        self.happened: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._momento.faults.clear()
        self._model.script.clear()
        self._marker.unlink(missing_ok=True)

    def befall(self) -> None:
        """Let something happen, perhaps; called before a post."""
        with self._lock:
            drawn, things = self._random.random(), self._things()
            if drawn < KILL_SHARE:
                name = "kill"
            elif drawn < SHARE:
                name = self._random.choice(sorted(things.keys() - {"kill"}))
            else:
                return
            self.happened[name] += 1
            things[name]()

    def _things(self) -> Mapping[str, Callable[[], object]]:
        faults, times = self._momento.faults, partial(self._random.randint, 1, 4)
        model: Mapping[str, Fault] = {
            "model 429": rate_limited(0.1),
            "model 500": http_error(500),
            "model 503": http_error(503),
            "model malformed": malformed_json(),
            "model cut off": cut_connection(),
            "model slow": slow(1.5),
        }
        return {
            "kill": self._marker.touch,
            "Momento fails": lambda: faults.fail(times=times()),
            "Momento refuses": lambda: faults.exceed_quota(times=times()),
            "Momento hangs": lambda: faults.hang(times=times()),
            "Momento slow": lambda: faults.delay(0.4, times=times()),
            "Momento's answers lost": lambda: faults.lose_answer(times=times()),
            "Momento wiped": self._momento.wipe,
            "Momento gone": partial(self._away, "Momento"),
            "DynamoDB's connections cut": partial(self._away, "DynamoDB"),
            "DynamoDB silent": self._silent,
            **{name: partial(self._model.script.append, fault) for name, fault in model.items()},
        }

    def _away(self, name: str) -> None:
        self._gates[name].close()
        time.sleep(self._random.uniform(0, AWAY_SECONDS))
        self._gates[name].open()

    def _silent(self) -> None:
        gate = self._gates["DynamoDB"]
        gate.silent = True
        time.sleep(AWAY_SECONDS)
        # What was swallowed is gone: a connection that lost some of its bytes says nothing sensible any more.
        gate.close()
        gate.open()
