"""What a model wrote, out of an answer of ``/responses``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Written:
    """A model's words.

    Parameters
    ----------
    text
        Of all parts.
    complete
        Whether the answer was not cut off.
    refused
        Whether the model would not answer.
    """

    text: str
    complete: bool = True
    refused: bool = False


def written(answer: Mapping[str, Any]) -> Written:
    """Read what a model wrote."""
    parts = list(_parts(answer))
    return Written(
        text="".join(str(part.get("text", "")) for part in parts),
        complete=answer.get("status") in (None, "completed"),
        refused=any(part.get("type") == "refusal" for part in parts),
    )


def _parts(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in answer.get("output") or ():
        content = item.get("content") if item.get("type") == "message" else None
        yield from (part for part in content or () if isinstance(part, dict))
