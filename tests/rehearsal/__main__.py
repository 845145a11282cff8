"""Rehearse a deployment: ``python -m tests.rehearsal``, or ``make rehearse``.

What runs are the commands of the README's section on deployment and of docs/operations.md, by the stock SAM CLI and the
stock AWS CLI.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from local.services import start_momento
from tests.rehearsal import emulator, story
from tests.rehearsal.stack import Stack
from tests.rehearsal.template import rehearse
from tools import build, lambda_python
from tools.environment import say


@dataclass
class Deploy:
    """``make deploy`` as it stands in the README, of this machine's build and the rehearsed copy of its template.

    Parameters
    ----------
    stack
        What is deployed.
    artefacts
        What is built.
    template
        The rehearsed copy of the built template, beside a copy of the artefacts.
    momento, model
        See `tests.rehearsal.template.changes`.
    """

    stack: Stack
    artefacts: Path
    template: Path
    momento: str
    model: str

    def __post_init__(self) -> None:
        """Write the copy: SAM reads it before it builds it."""
        self._copy()
        self.stack.variables.update(ARCH="host", SAM_TEMPLATE_FILE=str(self.template))
        self._parameters = ""

    def __call__(self, command: str, *, answer: str = "", fails: bool = False) -> str:
        """See `tests.rehearsal.story.Deploy`."""
        parameters = command.partition("--parameter-overrides")[2] or "samconfig.toml"
        if parameters != self._parameters:  # the built template tells them
            self.stack.run(command.replace("make deploy", "make build"))
            self._copy()
            self._parameters = parameters
        return self.stack.run(command, answer=answer, fails=fails)

    def _copy(self) -> None:
        aws = self.stack.emulator.url
        rehearse(self.artefacts / "template.yaml", self.template, momento=self.momento, model=self.model, aws=aws)


def main() -> int:
    """Run the command line: 0 if all went well, or if it cannot be tried here."""
    start = time.monotonic()
    try:
        python = emulator.install()
    except emulator.NotHere as missing:
        say(f"SKIPPED: no deployment was rehearsed. {missing}")
        return 0
    with tempfile.TemporaryDirectory(prefix="omoide-rehearsal-") as name:
        folder = Path(name)
        try:
            _rehearse(python, build.build(build.HOST_BUILD, architecture="host"), folder)
        except (build.BuildFailed, lambda_python.NoInterpreter, emulator.Failed) as failed:
            log = folder / "emulator.log"
            say(f"{log.read_text()[-4000:] if log.exists() else ''}\nFAILED: {failed}")
            return 1
    say(f"The deployment was rehearsed in {time.monotonic() - start:.0f} seconds.")
    return 0


def _rehearse(python: Path, artefacts: Path, folder: Path) -> None:
    copied = folder / "build"
    shutil.copytree(artefacts, copied)
    with EmbeddedMomento() as momento, StandInModel() as model, emulator.started(python, folder) as aws:
        address = f"127.0.0.1:{momento.port}"
        start_momento({"MOMENTO_LOCAL": address})
        stack = Stack("omoide-dev", aws)
        deploy = Deploy(stack, artefacts, copied / "rehearsed.yaml", address, model.base_url)
        story.run(stack, deploy, layer=copied / "ChatCoreLayer")


if __name__ == "__main__":
    sys.exit(main())
