"""What the embedded Momento refuses, as gRPC statuses and `err` metadata that Momento's SDK maps to its exceptions."""

from __future__ import annotations

from typing import NoReturn

import grpc

ITEM_SIZE = "item_size_limit_exceeded"
ELEMENT_SIZE = "element_size_limit_exceeded"
OPERATIONS_RATE = "operations_rate_limit_exceeded"


class Refused(Exception):
    """A call that Momento answers with an error status.

    Parameters
    ----------
    code
        The gRPC status; the SDK's exception follows from it.
    details
        The status message.
    err
        Value of the trailing metadata `err`, by which the SDK tells one exceeded limit from another.
    """

    def __init__(self, code: grpc.StatusCode, details: str, err: str | None = None) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.err = err

    def abort(self, context: grpc.ServicerContext) -> NoReturn:
        """End the call with this status; raises, as gRPC's `abort` does."""
        if self.err is not None:
            context.set_trailing_metadata((("err", self.err),))
        context.abort(self.code, self.details)
        raise self  # not reached: tells the type checker that `abort` raises


def unimplemented(rpc: str) -> Refused:
    """Return the refusal of an RPC that this server does not know."""
    return Refused(grpc.StatusCode.UNIMPLEMENTED, f"{rpc} is not implemented")


def cache_not_found() -> Refused:
    """Return the refusal of a call on a cache that does not exist."""
    return Refused(grpc.StatusCode.NOT_FOUND, "Cache not found")


def wrong_type() -> Refused:
    """Return the refusal of a call on an item of another type, or that is no number."""
    return Refused(grpc.StatusCode.FAILED_PRECONDITION, "The item is not of the type that the call needs")


def too_large(what: str, limit: int, err: str) -> Refused:
    """Return the refusal of an item or element larger than `limit` bytes."""
    return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{what} size limit exceeded: {limit} bytes", err)
