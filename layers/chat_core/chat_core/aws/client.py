"""Calls, and how often they are tried."""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from base64 import b64encode
from dataclasses import dataclass
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from chat_core.aws.connections import find_sender
from chat_core.aws.credentials import find_credentials
from chat_core.aws.endpoint import find_endpoint
from chat_core.aws.failures import NoAnswer, NotSent, Refused
from chat_core.aws.signature import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.aws.connections import Answer, Sender
    from chat_core.aws.credentials import Credentials
    from chat_core.aws.endpoint import Endpoint

TRIES = 3
_PASSING_STATUS = frozenset({500, 502, 503, 504})
_PASSING = frozenset({"RequestTimeout", "RequestTimeoutException"})
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_SHORTLY, _LATER = 0.025, 1.0
"""Seconds of the first wait at most: after a failure that passes, and after being told that there was too much."""

_RANDOM = SystemRandom()


@dataclass(frozen=True, slots=True)
class Service:
    """A service with a JSON API.

    Parameters
    ----------
    name
        In its endpoint and in signatures.
    variable
        What ``AWS_ENDPOINT_URL_`` ends in for it.
    target
        What its operations are named under.
    version
        Of JSON's protocol: ``1.0`` or ``1.1``.
    read
        Completes each object of an answer, as JSON has no bytes; None: they are as they are.
    """

    name: str
    variable: str
    target: str
    version: str
    read: Callable[[dict[str, Any]], Any] | None = None


class AwsClient:
    """Calls a service; from any thread.

    Tries again what botocore's standard mode tries again (AWS SDKs Reference, "Retry behavior"): a connection that
    failed, 5xx, too many requests.

    Parameters
    ----------
    service
        Which.
    endpoint
        Where it is.
    credentials
        Give those of a call.
    sender
        Posts to it.
    clock
        Gives the seconds since the epoch.
    """

    def __init__(
        self,
        service: Service,
        endpoint: Endpoint,
        credentials: Callable[[], Credentials],
        sender: Sender,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._credentials = credentials
        self._sender = sender
        self._signer = Signer(service.name, endpoint)
        self._clock = clock

    def call(
        self,
        operation: str,
        request: Mapping[str, Any],
        *,
        tries: int = TRIES,
        given_up: threading.Event | None = None,
    ) -> Mapping[str, Any]:
        """Call an operation; each try sends the same body.

        Parameters
        ----------
        operation
            AWS's name of it.
        request
            Its parameters; bytes are sent in base64.
        given_up
            Set once nobody waits: a further try could only do late what the caller was told is not done.

        Raises
        ------
        Refused
            If it is answered with an error.
        NoAnswer
            If it is not answered, or given up.
        """
        given_up = given_up or threading.Event()
        body = _written(request)
        for tried in range(1, tries + 1):
            if given_up.is_set():
                raise NotSent("Nobody waits for the answer.")
            try:
                return self._read(self._sender.send(self._headers(operation, body), body))
            except (Refused, NoAnswer) as failure:
                wait = _wait_after(failure)
                if wait is None or tried == tries:
                    raise
            given_up.wait(_RANDOM.uniform(0, wait * 2 ** (tried - 1)))
        raise AssertionError(tries)

    def is_ready(self) -> bool:
        """Whether a call would find a connection."""
        return self._sender.is_ready()

    def prepare(self) -> None:
        """Have credentials and a connection, for a call that will have little time.

        Raises
        ------
        NoAnswer
            If they are not to be had.
        """
        self._credentials()
        self._sender.prepare()

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def _headers(self, operation: str, body: bytes) -> Mapping[str, str]:
        headers = {
            "content-type": f"application/x-amz-json-{self._service.version}",
            "x-amz-target": f"{self._service.target}.{operation}",
        }
        signed = self._signer.signed(headers, body, self._credentials(), self._clock())
        return {**signed, "user-agent": "omoide"}

    def _read(self, answer: Answer) -> Mapping[str, Any]:
        if answer.crc32 is not None and answer.crc32 != str(zlib.crc32(answer.body)):
            raise NoAnswer("The answer is not what its checksum says.")
        try:
            found = json.loads(answer.body, object_hook=self._service.read)
        except ValueError:
            found = None
        if answer.status != 200:
            said = found if isinstance(found, dict) else {}
            raise Refused(str(said.get("__type", "")).rpartition("#")[2], answer.status, said)
        if not isinstance(found, dict):
            raise NoAnswer("The answer is no object of JSON.")
        return found


def connect(service: Service) -> AwsClient:
    """Make a client for the environment's region, endpoint and credentials; nothing is opened before the first call.

    Raises
    ------
    NotSent
        If the environment does not tell where the service is.
    """
    endpoint = find_endpoint(service.name, service.variable, os.environ)
    return AwsClient(service, endpoint, find_credentials(os.environ), find_sender(endpoint, os.environ))


def _wait_after(failure: Refused | NoAnswer) -> float | None:
    """Tell the longest first wait after a failure; None where another try would end the same."""
    if isinstance(failure, NoAnswer):
        return None if isinstance(failure, NotSent) else _SHORTLY
    if failure.code in _THROTTLED or failure.status == 429:
        return _LATER
    return _SHORTLY if failure.code in _PASSING or failure.status in _PASSING_STATUS else None


def _written(request: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(request, default=_base64, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can tell
        return json.dumps(request, default=_base64, separators=(",", ":")).encode()


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    message = f"{type(value).__name__} is no value of JSON"
    raise TypeError(message)
