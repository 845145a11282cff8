"""Whose calls they are: what Lambda puts into the environment, or what AWS's SDK finds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chat_core.aws.failures import NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call is signed with; ``token`` only where they are for a session."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


def find_credentials(environment: Mapping[str, str]) -> Callable[[], Credentials]:
    """Find the credentials, and give what hands them out, fresh, for each call.

    Those of the environment come first, as in AWS's SDK, and for as long as it lives, unless they say when they end.
    All else is left to botocore's chain, which renews them: roles, containers (as after a snapshot of Lambda's),
    profiles, single sign-on.
    """
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret and not environment.get("AWS_CREDENTIAL_EXPIRATION"):
        token = environment.get("AWS_SECURITY_TOKEN") or environment.get("AWS_SESSION_TOKEN") or ""
        found = Credentials(key, secret, token)
        return lambda: found
    return Chain()


class Chain:
    """botocore's chain, gone through on the first call."""

    def __init__(self) -> None:
        self._found: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> Credentials:
        """Hand out the credentials as they are now.

        Raises
        ------
        NotSent
            If there are none, or they cannot be renewed; the next call looks again.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.session import get_session

        try:
            with self._lock:
                if self._found is None:
                    self._found = get_session().get_credentials()
            if self._found is None:
                raise NotSent("There are no credentials for AWS.")
            now = self._found.get_frozen_credentials()
        except (BotoCoreError, ClientError, RuntimeError) as error:  # the last: they ended, and none came after them
            raise NotSent(type(error).__name__) from error
        return Credentials(now.access_key, now.secret_key, now.token or "")
