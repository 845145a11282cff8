"""What the tests of the embedded Momento share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from momento import CacheClient, Configurations, CredentialProvider
from momento.errors import MomentoErrorCode
from momento.responses import CacheListFetch

if TYPE_CHECKING:
    from momento.config import Configuration

CACHE = "omoide"
METADATA = (("cache", CACHE),)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def connect(port: int, *, seconds: float | None = None) -> CacheClient:
    """Make a client as an app does; with so many seconds for a call where a busy machine is not what is tested."""
    credentials = CredentialProvider.for_momento_local("127.0.0.1", port)
    configuration: Configuration = Configurations.Lambda.latest()
    if seconds is not None:
        configuration = configuration.with_client_timeout(timedelta(seconds=seconds))
    return CacheClient(configuration, credentials, timedelta(hours=1))


def ok(response: Any) -> Any:
    assert not type(response).__qualname__.endswith(".Error"), response
    return response


def error(response: Any) -> Any:
    assert type(response).__qualname__.endswith(".Error"), response
    return response


def exceeded(response: Any) -> Any:
    """Return which limit Momento says was exceeded."""
    failure = error(response).inner_exception
    assert failure.error_code == MomentoErrorCode.LIMIT_EXCEEDED_ERROR
    return failure.transport_details.grpc.metadata["err"]


def elements(client: CacheClient, name: str = "list") -> list[str]:
    response = ok(client.list_fetch(CACHE, name))
    return response.value_list_string if isinstance(response, CacheListFetch.Hit) else []
