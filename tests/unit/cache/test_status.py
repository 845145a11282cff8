from __future__ import annotations

import pytest

from chat_core.cache import status as cache_status


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (cache_status.hit(59.9), "omoide; hit; ttl=59"),
        (cache_status.hit(5, collapsed=True), "omoide; hit; ttl=5; collapsed"),
        (cache_status.hit(5, details=(cache_status.CLAMPED,)), "omoide; hit; ttl=5; detail=max-age-clamped"),
        (cache_status.forward("uri-miss"), "omoide; fwd=uri-miss"),
        (cache_status.forward("uri-miss", stored=True), "omoide; fwd=uri-miss; stored"),
        (cache_status.forward("bypass", details=("temperature",)), "omoide; fwd=bypass; detail=temperature"),
        (
            cache_status.forward("bypass", details=("store", cache_status.CLAMPED)),
            'omoide; fwd=bypass; detail="store, max-age-clamped"',
        ),
    ],
)
def test_the_header_is_a_structured_field(header: str, expected: str) -> None:
    assert header == expected
