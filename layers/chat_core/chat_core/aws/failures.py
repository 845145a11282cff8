"""What a call ends with that was not answered as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refused(Exception):
    """The service answered with an error.

    Parameters
    ----------
    code
        The service's name of it, as in ``ConditionalCheckFailedException``; empty where it gave none.
    status
        Of HTTP.
    answer
        All that it said.
    """

    def __init__(self, code: str, status: int = 400, answer: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code or 'an error without a name'} ({status})")
        self.code = code
        self.status = status
        self.answer: Mapping[str, Any] = answer or {}


class NoAnswer(Exception):
    """There is no answer that could be read; the call may have been made."""


class NotSent(NoAnswer):
    """The call could not be sent, or nobody waits for it any more: this try did nothing."""
