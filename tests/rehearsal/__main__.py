"""Rehearse a deployment: ``python -m tests.rehearsal``, or ``make rehearse``.

What runs are the commands of the README's section on deployment and of docs/operations.md, by the stock SAM CLI and the
stock AWS CLI.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from local.services import start_momento
from tests.rehearsal import emulator, story
from tests.rehearsal.stack import Stack
from tests.rehearsal.template import rehearse
from tools import build, lambda_python
from tools.environment import say


def main() -> int:
    """Run the command line: 0 if all went well, or if it cannot be tried here."""
    start = time.monotonic()
    try:
        python = emulator.install()
        artefacts = build.build(build.HOST_BUILD, architecture="host")
    except (emulator.NotHere, lambda_python.NoInterpreter, build.BuildFailed) as missing:
        say(f"SKIPPED: no deployment was rehearsed. {missing}")
        return 1 if isinstance(missing, build.BuildFailed) and "sam build failed" in str(missing) else 0
    with tempfile.TemporaryDirectory(prefix="omoide-rehearsal-") as name:
        folder = Path(name)
        try:
            _rehearse(python, artefacts, folder)
        except emulator.Failed as failed:
            log = folder / "emulator.log"
            say(f"{log.read_text()[-4000:] if log.exists() else ''}\nFAILED: {failed}")
            return 1
    say(f"The deployment was rehearsed in {time.monotonic() - start:.0f} seconds.")
    return 0


def _rehearse(python: Path, artefacts: Path, folder: Path) -> None:
    copied = folder / "build"
    shutil.copytree(artefacts, copied)
    template = copied / "template.yaml"
    with EmbeddedMomento() as momento, StandInModel() as model, emulator.started(python, folder) as aws:
        address = f"127.0.0.1:{momento.port}"
        start_momento({"MOMENTO_LOCAL": address})
        stack = Stack("omoide-dev", aws)
        # `make deploy` as it stands in the README, of this machine's build and the rehearsed copy of its template.
        stack.variables.update(ARCH="host", SAM_TEMPLATE_FILE=str(template))

        def deploy(command: str, *, answer: str = "", fails: bool = False) -> str:
            stack.run(command.replace("make deploy", "make build"))
            rehearse(artefacts / "template.yaml", template, momento=address, model=model.base_url)
            return stack.run(command, answer=answer, fails=fails)

        story.run(stack, deploy, layer=copied / "ChatCoreLayer")


if __name__ == "__main__":
    sys.exit(main())
