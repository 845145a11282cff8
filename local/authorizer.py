"""A Lambda authorizer before the routes, as API Gateway's REST APIs have it (type REQUEST, identity ``Authorization``).

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

import json
import threading
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from local.events import authorizer_event, method_arn
from local.invocation import FunctionFailed, IntegrationTimeout, Refusal, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.invocation import Integration

UNAUTHORIZED = Refusal("UNAUTHORIZED", 401, "Unauthorized")
ACCESS_DENIED = Refusal("ACCESS_DENIED", 403, "User is not authorized to access this resource")
FAILED = Refusal("AUTHORIZER_FAILURE", 500, "Internal server error")

# What the handler raises to refuse is an Exception with a message that the gateway reads, and of no class of its own.
# The environments here tell an error's class and never its message.
_REFUSING = "Exception"
_SECONDS = 29.0
_MOST = 1_024


class Refused(Exception):
    """The gateway answers in the function's place."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.kind)
        self.refusal = refusal


class Authorizer:
    """Asks the authorizer of each credential, and remembers what it said.

    Parameters
    ----------
    function
        The authorizer.
    seconds
        How long what it said is remembered; 0: not at all.
    clock
        In seconds.
    """

    def __init__(self, function: Integration, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._function = function
        self._seconds = seconds
        self._clock = clock
        self._said: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._lock = threading.Lock()

    def context(self, event: Mapping[str, Any], *, trace_id: str) -> dict[str, Any]:
        """Give what the function is told of the caller.

        Parameters
        ----------
        event
            As the function would get it.

        Raises
        ------
        Refused
            If the credential is missing, names nobody or may not do that, or the authorizer failed.
        """
        values = [
            v
            for name, several in event["multiValueHeaders"].items()
            if name.lower() == "authorization"
            for v in several
        ]
        if not any(values):
            raise Refused(UNAUTHORIZED)
        said = self._remembered(",".join(values)) or self._ask(event, ",".join(values), trace_id)
        if not _allows(said.get("policyDocument"), method_arn(event)):
            raise Refused(ACCESS_DENIED)
        context = {name: str(value) for name, value in (said.get("context") or {}).items()}
        return {**context, "principalId": str(said.get("principalId")), "integrationLatency": 0}

    def _remembered(self, credential: str) -> Mapping[str, Any] | None:
        with self._lock:
            until, said = self._said.get(credential, (0.0, {}))
            return said if self._clock() < until else None

    def _ask(self, event: Mapping[str, Any], credential: str, trace_id: str) -> Mapping[str, Any]:
        payload = json.dumps(authorizer_event(event), ensure_ascii=False).encode()
        try:
            said = json.loads(whole(self._function.invoke(payload, trace_id=trace_id), _SECONDS))
        except FunctionFailed as failed:
            raise Refused(UNAUTHORIZED if failed.kind == _REFUSING else FAILED) from None
        except (IntegrationTimeout, ValueError):
            raise Refused(FAILED) from None
        if not isinstance(said, dict) or not isinstance(said.get("policyDocument"), dict):
            raise Refused(FAILED)
        with self._lock:
            while len(self._said) >= _MOST:
                del self._said[next(iter(self._said))]
            self._said[credential] = self._clock() + self._seconds, said
        return said


def _allows(policy: Any, arn: str) -> bool:
    """Evaluate a policy of IAM as far as authorizers write them: what denies goes before what allows."""
    effects = {
        statement.get("Effect")
        for statement in policy.get("Statement", ())
        if any(fnmatchcase(arn, resource) for resource in _listed(statement.get("Resource")))
    }
    return effects == {"Allow"}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
