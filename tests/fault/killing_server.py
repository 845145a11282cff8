"""The dev server with a chat function that can be killed at any step: see `killing_chat`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.dev_server import ROOT, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.dev_server import RunningServer

TIMEOUT = 16
ENVIRONMENTS = 4


@contextmanager
def killing_server(
    folder: Path, variables: Mapping[str, str], *, environments: int = ENVIRONMENTS
) -> Iterator[RunningServer]:
    """Run it; ``folder`` is where it notes what was killed, and reads what is to be: see `killing_chat`."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("Handler: chat.handler.lambda_handler", "Handler: killing_chat.lambda_handler"),
        ("CodeUri: functions/", f"CodeUri: {ROOT}/functions/"),
        ("ContentUri: layers/", f"ContentUri: {ROOT}/layers/"),
        ("Timeout: 295", f"Timeout: {TIMEOUT}"),
        ('LOCK_WAIT_SECONDS: "10"', 'LOCK_WAIT_SECONDS: "2"'),
    ):
        assert old in text
        text = text.replace(old, new)
    template = folder / "template.yaml"
    template.write_text(text, encoding="utf-8")
    paths = os.pathsep.join([str(Path(__file__).parent / "killing"), os.environ.get("PYTHONPATH", "")])
    own = {"PYTHONPATH": paths, "KILLED": str(folder)}
    with running_server({**own, **variables}, ["--template", str(template), "--environments", str(environments)]) as it:
        yield it
