"""The RPCs of the control plane that concern caches."""
# ruff: noqa: SLF001 - the names of the wire types begin with an underscore

from __future__ import annotations

from typing import TYPE_CHECKING

from momento_wire_types import controlclient_pb2 as pb

if TYPE_CHECKING:
    from .store import Caches


def _create_cache(caches: Caches, request: pb._CreateCacheRequest) -> pb._CreateCacheResponse:
    caches.create(request.cache_name)
    return pb._CreateCacheResponse()


def _delete_cache(caches: Caches, request: pb._DeleteCacheRequest) -> pb._DeleteCacheResponse:
    caches.delete(request.cache_name)
    return pb._DeleteCacheResponse()


def _list_caches(caches: Caches, _: pb._ListCachesRequest) -> pb._ListCachesResponse:
    return pb._ListCachesResponse(cache=[pb._Cache(cache_name=name) for name in caches.names()])


def _flush_cache(caches: Caches, request: pb._FlushCacheRequest) -> pb._FlushCacheResponse:
    cache = caches.get(request.cache_name)
    with cache.lock:
        cache.flush()
    return pb._FlushCacheResponse()


WORK = {
    "CreateCache": _create_cache,
    "DeleteCache": _delete_cache,
    "ListCaches": _list_caches,
    "FlushCache": _flush_cache,
}
