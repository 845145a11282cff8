"""What the rehearsal's steps are made of: they say what comes, ask, and stop at the first thing that is otherwise."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from openai import APIStatusError, OpenAI

from tests.rehearsal.emulator import Failed
from tools.environment import say

if TYPE_CHECKING:
    from collections.abc import Mapping


def client_of(outputs: Mapping[str, str], token: str, **headers: str) -> OpenAI:
    """Make the stock SDK's client of a stack."""
    return OpenAI(base_url=outputs["ApiUrl"], api_key=token, default_headers=headers)


def refused(status: int, call: Any) -> APIStatusError:
    """Make a call that is refused with a status, and return the error."""
    try:
        call()
    except APIStatusError as error:
        same("the status", error.status_code, status)
        return error
    message = f"It was not refused with {status}."
    raise Failed(message)


def json_of(url: str, path: str, token: str) -> Any:
    """Read a resource as a user."""
    status, body = ask(f"{url}{path}", {"Authorization": f"Bearer {token}"})
    same(f"the status of {path}", status, 200)
    return json.loads(body)


def ask(url: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, str]:
    """Send a request, and return the status and the body."""
    request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def told(what: str, how: str) -> None:
    """Say what comes, and how it is done."""
    say(f"* {what} ({how})")


def same(what: str, found: object, wanted: object) -> None:
    """Stop the rehearsal unless two things are the same."""
    holds(found == wanted, f"{what}: {found!r}, not {wanted!r}.")


def holds(condition: bool, message: str) -> None:
    """Stop the rehearsal unless something holds."""
    if not condition:
        raise Failed(message)
