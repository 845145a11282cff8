"""Texts that are Unicode: half of a surrogate pair, which JSON can escape and UTF-8 cannot hold, is replaced."""

from __future__ import annotations

import json
from typing import Any

_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def mend_text(text: str) -> str:
    r"""Replace halves of surrogate pairs by U+FFFD; two halves that belong together become their character.

    Examples
    --------
    >>> mend_text("cut \ud83d") == "cut \ufffd"
    True
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def mend(value: Any) -> Any:
    """Mend every text of a JSON value, names included.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    if isinstance(value, str):
        return mend_text(value)
    if isinstance(value, dict):
        return {mend_text(name): mend(member) for name, member in value.items()}
    return [mend(member) for member in value] if isinstance(value, list) else value


def read_stored_json(text: str) -> Any:
    """Read JSON of our own; what an earlier version wrote though it was no number or not Unicode is mended.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    value = _DECODER.decode(text)
    return mend(value) if "\\ud" in text else value
