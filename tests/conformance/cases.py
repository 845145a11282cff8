"""Cases as they stand in a file, and how one ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended; ``details`` say what was expected and got, or why it was not run."""

    status: Literal["passed", "failed", "skipped"]
    details: tuple[str, ...] = ()


class UnreadableCases(Exception):
    """A file holds no cases that can be run."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}")


def load_cases(path: Path, pattern: str = "*") -> list[Case]:
    """Read the cases of a file whose ids match: an object with ``cases``, or a list of them."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableCases(path, f"cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UnreadableCases(path, f"is not JSON: {error}.") from None
    cases = content.get("cases") if isinstance(content, dict) else content
    if not isinstance(cases, list) or not cases:
        raise UnreadableCases(path, 'has no list "cases" with a case in it.')
    for place, case in enumerate(cases):
        if not isinstance(case, dict) or not isinstance(case.get("id"), str):
            raise UnreadableCases(path, f'holds at place {place} no object with an "id".')
    chosen = [case for case in cases if fnmatchcase(case["id"], pattern)]
    if not chosen:
        raise UnreadableCases(path, f"has no case whose id matches {pattern}.")
    return chosen


def compared(expected: dict[str, Any], got: dict[str, Any], note: str = "") -> Outcome:
    """Compare what was expected with what was got, member by member; ``note`` explains what was got."""
    wrong = [
        f"{name}: expected {_shown(value)}, got {_shown(got[name]) if name in got else 'nothing of the kind'}"
        for name, value in expected.items()
        if name not in got or got[name] != value
    ]
    return Outcome("failed", (*wrong, note) if note else tuple(wrong)) if wrong else Outcome("passed")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
