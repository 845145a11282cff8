"""The RPCs on single values, and on items of any type."""
# ruff: noqa: SLF001 - the names of the wire types begin with an underscore

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from momento_wire_types import cacheclient_pb2 as pb

from .errors import wrong_type
from .rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .store import Cache

_INT64 = range(-(2**63), 2**63)


def _get(cache: Cache, request: pb._GetRequest) -> pb._GetResponse:
    value = cache.value(request.cache_key)
    if value is None:
        return pb._GetResponse(result=pb.Miss)
    return pb._GetResponse(result=pb.Hit, cache_body=value)


def _set(cache: Cache, request: pb._SetRequest) -> pb._SetResponse:
    cache.put(request.cache_key, request.cache_body, request.ttl_milliseconds)
    return pb._SetResponse(result=pb.Ok)


def _set_if_not_exists(cache: Cache, request: pb._SetIfNotExistsRequest) -> pb._SetIfNotExistsResponse:
    if cache.item(request.cache_key) is not None:
        return pb._SetIfNotExistsResponse(not_stored=pb._SetIfNotExistsResponse._NotStored())
    cache.put(request.cache_key, request.cache_body, request.ttl_milliseconds)
    return pb._SetIfNotExistsResponse(stored=pb._SetIfNotExistsResponse._Stored())


def _compared(request: pb._SetIfRequest) -> bytes:
    """Return the value that a `SetIf` compares the stored one with; empty where it compares none."""
    condition = request.WhichOneof("condition")
    compared: bytes = getattr(getattr(request, condition), "value_to_check", b"") if condition else b""
    return compared


def _holds(request: pb._SetIfRequest, stored: bytes | None) -> bool:
    present = stored is not None
    equal = present and stored == _compared(request)
    condition = request.WhichOneof("condition")
    return {
        "present": present,
        "absent": not present,
        "equal": equal,
        "not_equal": not equal,
        "present_and_not_equal": present and not equal,
        "absent_or_equal": not present or equal,
    }.get(condition, False)


def _set_if(cache: Cache, request: pb._SetIfRequest) -> pb._SetIfResponse:
    if not _holds(request, cache.value(request.cache_key)):
        return pb._SetIfResponse(not_stored=pb._SetIfResponse._NotStored())
    cache.put(request.cache_key, request.cache_body, request.ttl_milliseconds)
    return pb._SetIfResponse(stored=pb._SetIfResponse._Stored())


def _increment(cache: Cache, request: pb._IncrementRequest) -> pb._IncrementResponse:
    stored = cache.value(request.cache_key)
    try:
        total = int(stored or b"0") + request.amount
    except ValueError:
        raise wrong_type() from None
    if total not in _INT64:
        raise wrong_type()
    cache.put(request.cache_key, b"%d" % total, request.ttl_milliseconds, keep_ttl=True)
    return pb._IncrementResponse(value=total)


def _delete(cache: Cache, request: pb._DeleteRequest) -> pb._DeleteResponse:
    cache.delete(request.cache_key)
    return pb._DeleteResponse()


def _keys_exist(cache: Cache, request: pb._KeysExistRequest) -> pb._KeysExistResponse:
    return pb._KeysExistResponse(exists=[cache.item(key) is not None for key in request.cache_keys])


def _item_get_ttl(cache: Cache, request: pb._ItemGetTtlRequest) -> pb._ItemGetTtlResponse:
    remaining = cache.remaining_milliseconds(request.cache_key)
    if remaining is None:
        return pb._ItemGetTtlResponse(missing=pb._ItemGetTtlResponse._Missing())
    return pb._ItemGetTtlResponse(found=pb._ItemGetTtlResponse._Found(remaining_ttl_millis=remaining))


def _body(request: pb._SetRequest | pb._SetIfNotExistsRequest) -> Sequence[int]:
    return (len(request.cache_body),)


def _body_and_compared(request: pb._SetIfRequest) -> Sequence[int]:
    return (len(request.cache_body) + len(_compared(request)),)


def _hit(response: pb._GetResponse) -> Sequence[int]:
    return (len(response.cache_body),) if response.result == pb.Hit else ()


_rpc = partial(Rpc, key="cache_key", keyed=True)

RPCS = {
    "Get": _rpc(_get, answered=_hit, reads=True),
    "Set": _rpc(_set, sent=_body),
    "SetIf": _rpc(_set_if, sent=_body_and_compared, factor=2),
    "SetIfNotExists": _rpc(_set_if_not_exists, sent=_body, factor=2),
    "Increment": _rpc(_increment),
    "Delete": _rpc(_delete),
    "KeysExist": Rpc(_keys_exist, key="cache_keys", reads=True),
    "ItemGetTtl": _rpc(_item_get_ttl, reads=True),
}
