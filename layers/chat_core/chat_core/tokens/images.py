"""What images cost in tokens, by OpenAI's published rules (its guide "Images and vision", "Calculating costs")."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from chat_core.model import Patches

if TYPE_CHECKING:
    from chat_core.model import ImageRule

_MOST_PATCHES = 1536
_DEAREST = (2048, 768)
"""Size of the images that cost the most under both rules: stands for an image whose size is not at hand."""

_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_HEADER = 262_144
"""Characters of a data URL that are looked at: a JPEG's size may stand behind large metadata."""


def image_tokens(rule: ImageRule, part: Mapping[str, Any]) -> int:
    """Count an image part of either API.

    Parameters
    ----------
    rule
        The model's.
    part
        ``input_image``, or ``image_url`` as chat completions have it. The size is read from a data URL; an image
        behind another URL, or one that cannot be read, is taken for one of the dearest size.
    """
    source = part.get("image_url")
    fields = source if isinstance(source, Mapping) else part
    url = fields.get("url") if isinstance(source, Mapping) else source
    width, height = (_size(url) if isinstance(url, str) else None) or _DEAREST
    if isinstance(rule, Patches):
        return math.ceil(_patches(width, height) * rule.factor)
    return rule.base if fields.get("detail") == "low" else rule.base + rule.tile * _tiles(width, height)


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
    import imagesize

    # Never of an SVG: no model takes one, and its size would be read by an XML parser.
    size = (0, 0) if data.startswith(b"<") else imagesize.get(BytesIO(data), exif_rotation=False)
    return size if min(size) > 0 else None
