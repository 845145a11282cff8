"""What the stand-in answers instead of a reply: OpenAI's error envelope with its HTTP status."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
T = TypeVar("T")

BY_STATUS = {401: "invalid_request_error", 429: "requests", 500: "server_error", 503: "server_error"}


class ApiError(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status
        The HTTP status.
    message
        What is wrong; never a part of the request's content.
    param, code
        The field that is wrong and OpenAI's code for it.
    headers
        Headers of the answer, such as ``retry-after``.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, Any]:
        """Return the body as OpenAI's ``ErrorResponse``."""
        kind = BY_STATUS.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def bad_request(message: str, param: str | None, code: str = "invalid_value") -> ApiError:
    """Return the error for a field that is missing or wrong."""
    return ApiError(400, message, param=param, code=code)


def above_limit(name: str, limit: int) -> ApiError:
    """Return the error for a number, or a list's length, that is too great."""
    return bad_request(f"'{name}' is at most {limit}.", name, "above_max_value")


def refusing(create: Callable[P, T]) -> Callable[P, T]:
    """Let what answers a request refuse what it cannot read, as a server of typed requests does.

    A request, its schemas included, is nested too deep in kinds of JSON for each place to look at them all.
    """

    @wraps(create)
    def refused(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return create(*args, **kwargs)
        except (AttributeError, KeyError, TypeError):
            raise bad_request("A member of the request has the wrong type.", None, "invalid_type") from None

    return refused
