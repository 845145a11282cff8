"""The RPCs on lists."""
# ruff: noqa: SLF001 - the names of the wire types begin with an underscore

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from momento_wire_types import cacheclient_pb2 as pb

from .rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .store import Cache, Elements

    AppendRequest = pb._ListPushBackRequest | pb._ListConcatenateBackRequest
    PrependRequest = pb._ListPushFrontRequest | pb._ListConcatenateFrontRequest


def _append(cache: Cache, request: AppendRequest, values: Elements) -> int:
    elements = (cache.elements(request.list_name) or ()) + values
    if size := request.truncate_front_to_size:
        elements = elements[-size:]
    cache.put(request.list_name, elements, request.ttl_milliseconds, keep_ttl=not request.refresh_ttl)
    return len(elements)


def _prepend(cache: Cache, request: PrependRequest, values: Elements) -> int:
    elements = values + (cache.elements(request.list_name) or ())
    if size := request.truncate_back_to_size:
        elements = elements[:size]
    cache.put(request.list_name, elements, request.ttl_milliseconds, keep_ttl=not request.refresh_ttl)
    return len(elements)


def _push_back(cache: Cache, request: pb._ListPushBackRequest) -> pb._ListPushBackResponse:
    return pb._ListPushBackResponse(list_length=_append(cache, request, (request.value,)))


def _push_front(cache: Cache, request: pb._ListPushFrontRequest) -> pb._ListPushFrontResponse:
    return pb._ListPushFrontResponse(list_length=_prepend(cache, request, (request.value,)))


def _concatenate_back(cache: Cache, request: pb._ListConcatenateBackRequest) -> pb._ListConcatenateBackResponse:
    return pb._ListConcatenateBackResponse(list_length=_append(cache, request, tuple(request.values)))


def _concatenate_front(cache: Cache, request: pb._ListConcatenateFrontRequest) -> pb._ListConcatenateFrontResponse:
    return pb._ListConcatenateFrontResponse(list_length=_prepend(cache, request, tuple(request.values)))


def _slice(request: pb._ListFetchRequest | pb._ListRetainRequest) -> slice:
    """Return the range of a request: Python's own rules for negative and open ends are the protocol's."""
    start = request.inclusive_start if request.HasField("inclusive_start") else None
    end = request.exclusive_end if request.HasField("exclusive_end") else None
    return slice(start, end)


def _fetch(cache: Cache, request: pb._ListFetchRequest) -> pb._ListFetchResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListFetchResponse(missing=pb._ListFetchResponse._Missing())
    return pb._ListFetchResponse(found=pb._ListFetchResponse._Found(values=elements[_slice(request)]))


def _length(cache: Cache, request: pb._ListLengthRequest) -> pb._ListLengthResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListLengthResponse(missing=pb._ListLengthResponse._Missing())
    return pb._ListLengthResponse(found=pb._ListLengthResponse._Found(length=len(elements)))


def _pop_back(cache: Cache, request: pb._ListPopBackRequest) -> pb._ListPopBackResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListPopBackResponse(missing=pb._ListPopBackResponse._Missing())
    *rest, last = elements
    cache.put(request.list_name, tuple(rest), keep_ttl=True)
    return pb._ListPopBackResponse(found=pb._ListPopBackResponse._Found(back=last, list_length=len(rest)))


def _pop_front(cache: Cache, request: pb._ListPopFrontRequest) -> pb._ListPopFrontResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListPopFrontResponse(missing=pb._ListPopFrontResponse._Missing())
    first, *rest = elements
    cache.put(request.list_name, tuple(rest), keep_ttl=True)
    return pb._ListPopFrontResponse(found=pb._ListPopFrontResponse._Found(front=first, list_length=len(rest)))


def _remove(cache: Cache, request: pb._ListRemoveRequest) -> pb._ListRemoveResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListRemoveResponse(missing=pb._ListRemoveResponse._Missing())
    rest = tuple(element for element in elements if element != request.all_elements_with_value)
    cache.put(request.list_name, rest, keep_ttl=True)
    return pb._ListRemoveResponse(found=pb._ListRemoveResponse._Found(list_length=len(rest)))


def _retain(cache: Cache, request: pb._ListRetainRequest) -> pb._ListRetainResponse:
    elements = cache.elements(request.list_name)
    if elements is None:
        return pb._ListRetainResponse(missing=pb._ListRetainResponse._Missing())
    rest = elements[_slice(request)]
    cache.put(request.list_name, rest, request.ttl_milliseconds, keep_ttl=not request.refresh_ttl)
    return pb._ListRetainResponse(found=pb._ListRetainResponse._Found(list_length=len(rest)))


def _one(request: pb._ListPushBackRequest | pb._ListPushFrontRequest) -> Sequence[int]:
    return (len(request.value),)


def _all(request: pb._ListConcatenateBackRequest | pb._ListConcatenateFrontRequest) -> Sequence[int]:
    return [len(value) for value in request.values]


def _removed(request: pb._ListRemoveRequest) -> Sequence[int]:
    return (len(request.all_elements_with_value),)


def _fetched(response: pb._ListFetchResponse) -> Sequence[int]:
    return [len(value) for value in response.found.values]


def _popped_back(response: pb._ListPopBackResponse) -> Sequence[int]:
    return (len(response.found.back),) if response.HasField("found") else ()


def _popped_front(response: pb._ListPopFrontResponse) -> Sequence[int]:
    return (len(response.found.front),) if response.HasField("found") else ()


_rpc = partial(Rpc, key="list_name")

RPCS = {
    "ListPushBack": _rpc(_push_back, sent=_one),
    "ListPushFront": _rpc(_push_front, sent=_one),
    "ListConcatenateBack": _rpc(_concatenate_back, sent=_all),
    "ListConcatenateFront": _rpc(_concatenate_front, sent=_all),
    "ListFetch": _rpc(_fetch, answered=_fetched, reads=True),
    "ListLength": _rpc(_length, reads=True),
    "ListPopBack": _rpc(_pop_back, answered=_popped_back),
    "ListPopFront": _rpc(_pop_front, answered=_popped_front),
    "ListRemove": _rpc(_remove, sent=_removed),
    "ListRetain": _rpc(_retain),
}
