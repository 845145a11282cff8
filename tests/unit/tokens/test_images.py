"""Images cost what their size costs."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest

from chat_core.messages.message import Message
from chat_core.tokens.counter import counter_for


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def jpeg(width: int, height: int) -> bytes:
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app + b"\xff" + frame


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(8)


def webp(kind: bytes, size: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + size


def image(data: bytes, **fields: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": "data:image/x;base64," + base64.b64encode(data).decode(), **fields}


def cost(model: str, part: dict[str, Any]) -> int:
    return counter_for(model).message(Message("user", (part,))) - 4


# The examples of OpenAI's guide "Images and vision".
@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4o", (512, 512), "auto", 255),
        ("gpt-4o-mini", (512, 512), "low", 2833),
        ("gpt-5", (512, 512), "high", 210),
        ("o1", (512, 512), "high", 225),
        ("gpt-4.1", (2049, 513), "high", 1445),
        ("gpt-4.1", (2050, 513), "high", 765),
        ("gpt-4.1-mini", (1024, 1024), "high", 1659),
        ("gpt-4.1-mini", (1800, 2400), "high", 2353),
        ("o4-mini", (1024, 1024), "high", 1762),
        ("gpt-6", (1024, 1024), "high", 765),
    ],
)
def test_images_count_by_size_and_detail(model: str, size: tuple[int, int], detail: str, tokens: int) -> None:
    assert cost(model, image(png(*size), detail=detail)) == tokens


@pytest.mark.parametrize(
    "data",
    [
        png(1800, 600),
        jpeg(1800, 600),
        gif(1800, 600),
        webp(b"VP8X", bytes(4) + (1799).to_bytes(3, "little") + (599).to_bytes(3, "little")),
        webp(b"VP8L", b"\x2f" + (1799 | 599 << 14).to_bytes(4, "little") + bytes(5)),
        webp(b"VP8 ", bytes(6) + (1800).to_bytes(2, "little") + (600).to_bytes(2, "little")),
    ],
    ids=["png", "jpeg", "gif", "webp", "webp lossless", "webp lossy"],
)
def test_the_size_is_read_from_the_image(data: bytes) -> None:
    assert cost("gpt-4o", image(data)) == 85 + 170 * 4 * 2


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": "https://images.invalid/a.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_image", "image_url": "data:image/png;base64,????"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "image_url", "image_url": {"url": "https://images.invalid/a.png"}},
        image(png(0, 7)),
        image(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
        image(jpeg(9, 9)[:12]),
    ],
)
def test_an_image_of_unknown_size_is_taken_for_one_of_the_dearest(part: dict[str, Any]) -> None:
    assert cost("gpt-4o", part) == 85 + 170 * 8
    assert cost("gpt-4.1-nano", part) == 3779
