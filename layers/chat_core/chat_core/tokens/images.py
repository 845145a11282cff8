"""What images cost in tokens, by OpenAI's published rules (its guide "Images and vision", "Calculating costs")."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

# Models that see tiles of 512 pixels: base tokens, and tokens of a tile. The first prefix that fits.
_TILES: tuple[tuple[str, int, int], ...] = (
    ("gpt-4o-mini", 2833, 5667),
    ("gpt-4o", 85, 170),
    ("chatgpt-4o", 85, 170),
    ("gpt-4.1", 85, 170),
    ("gpt-4.5", 85, 170),
    ("gpt-4", 85, 170),
    ("computer-use", 65, 129),
    ("o1", 75, 150),
    ("o3", 75, 150),
    ("gpt-5", 70, 140),
)
_OTHER_TILES = (85, 170)
# Models that see patches of 32 pixels: tokens of a patch.
_PATCHES: tuple[tuple[str, float], ...] = (
    ("gpt-4.1-mini", 1.62),
    ("gpt-4.1-nano", 2.46),
    ("o4-mini", 1.72),
    ("gpt-5-mini", 1.62),
    ("gpt-5-nano", 2.46),
)
_MOST_PATCHES = 1536
_DEAREST = (2048, 768)
"""Size of the images that cost the most under both rules: stands for an image whose size is not at hand."""

_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_HEADER = 262_144
"""Characters of a data URL that are looked at: a JPEG's size may stand behind large metadata."""


def image_tokens(model: str, part: Mapping[str, Any]) -> int:
    """Count an image part of either API.

    Parameters
    ----------
    model
        Its name, without a fine-tuning prefix.
    part
        ``input_image``, or ``image_url`` as chat completions have it. The size is read from a data URL; an image
        behind another URL, or one that cannot be read, is taken for one of the dearest size.
    """
    source = part.get("image_url")
    fields = source if isinstance(source, Mapping) else part
    url = fields.get("url") if isinstance(source, Mapping) else source
    width, height = (_size(url) if isinstance(url, str) else None) or _DEAREST
    for prefix, tokens in _PATCHES:
        if model.startswith(prefix):
            return math.ceil(_patches(width, height) * tokens)
    base, tile = next(((base, tile) for prefix, base, tile in _TILES if model.startswith(prefix)), _OTHER_TILES)
    return base if fields.get("detail") == "low" else base + tile * _tiles(width, height)


def _tiles(width: int, height: int) -> int:
    """Shrink to fit 2048 x 2048, then to a shorter side of 768, and count the tiles of 512 that cover it."""
    width, height = _shrunk(width, height, 2048 / max(width, height))
    width, height = _shrunk(width, height, 768 / min(width, height))
    return math.ceil(width / 512) * math.ceil(height / 512)


def _shrunk(width: int, height: int, scale: float) -> tuple[int, int]:
    return (max(round(width * scale), 1), max(round(height * scale), 1)) if scale < 1 else (width, height)


def _patches(width: int, height: int) -> int:
    """Count the patches of 32 that cover it; where they are too many, shrink to a whole number of them that is not."""
    if math.ceil(width / 32) * math.ceil(height / 32) <= _MOST_PATCHES:
        return math.ceil(width / 32) * math.ceil(height / 32)
    scale = math.sqrt(32 * 32 * _MOST_PATCHES / (width * height))
    across, down = width * scale / 32, height * scale / 32
    scale = min(math.floor(across) / across, math.floor(down) / down)
    return min(math.ceil(across * scale) * math.ceil(down * scale), _MOST_PATCHES)


def _size(url: str) -> tuple[int, int] | None:
    """Read width and height from the first bytes of an image in a data URL."""
    found = _DATA_URL.match(url)
    if found is None:
        return None
    start = found.end()
    text = url[start : start + _HEADER]
    try:
        data = b64decode(text[: len(text) // 4 * 4])
    except (Base64Error, ValueError):
        return None
    size = _png(data) or _gif(data) or _webp(data) or _jpeg(data)
    return size if size and all(size) else None


def _png(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _gif(data: bytes) -> tuple[int, int] | None:
    if not data.startswith((b"GIF87a", b"GIF89a")) or len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header: SOF0 to SOF15, which C4, C8 and CC are not."""
    if not data.startswith(b"\xff\xd8"):
        return None
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None
