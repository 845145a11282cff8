"""Code as it stands in the documents, for tests that run it."""

from __future__ import annotations

import io
import os
import re
import subprocess
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TOLD = re.compile(r"(?:print|console\.log|stdout\.write)\(.*(?:  #|; //) (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Parameters
    ----------
    title
        Of the section that it stands in, and its place there.
    """

    title: str
    language: str
    code: str

    def told(self) -> list[str]:
        """Give what the block says that it prints: comments behind what prints, or what follows a command."""
        if self.language == "console":
            return [line for line in self._lines() if not line.startswith("$ ")]
        return _TOLD.findall(self.code)

    def at(self, places: Mapping[str, str]) -> Block:
        """Put other addresses in place of those of the document."""
        code = self.code
        for written, real in places.items():
            code = code.replace(written, real)
        return Block(self.title, self.language, code)

    def run_python(self, names: dict[str, Any] | None = None) -> str:
        """Run it in this process, and return what it printed; its names stay in a dictionary that is given."""
        written = io.StringIO()
        with redirect_stdout(written):
            exec(compile(self.code, self.title, "exec"), {"__name__": "__main__"} if names is None else names)  # noqa: S102
        return written.getvalue()

    def run_console(self, environment: Mapping[str, str] | None = None) -> str:
        """Run its commands in a shell, and return what they printed."""
        script = "\n".join(line.removeprefix("$ ") for line in self._lines() if line.startswith("$ "))
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(  # noqa: S603 - the document's own commands
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def _lines(self) -> list[str]:
        return self.code.replace("\\\n", "").splitlines()


def blocks(page: Path) -> list[Block]:
    """Give the blocks of a document that have a language, in order."""
    found: list[Block] = []
    for section in re.split(r"^(?=##+ )", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title = section.partition("\n")[0].lstrip("# ")
        for place, (language, code) in enumerate(_BLOCK.findall(section), start=1):
            found.append(Block(f"{title} {place}", language, code))
    return found
