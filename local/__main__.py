"""``python -m local``: the dev server."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).parents[1]
_TEMPLATE = _ROOT / "template.yaml"
# The terminal and `kill` send them to the whole process group; this process alone decides what follows.
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    arguments = _arguments()
    # Blocked in every thread and process that follows, they wait for `sigwait`. A handler in Python would not do: it
    # runs between two instructions of this thread, and one that begins to wait for a lock just then waits for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)

    # The stand-in model streams as the layer does, and keys are written as the authorizer reads them.
    sys.path += [str(_ROOT / "layers" / "chat_core"), str(_ROOT / "functions" / "authorizer")]
    # After the signals: this takes long enough for an impatient Ctrl-C.
    from local.server import Server
    from local.services import StartError

    server = Server(
        arguments.template,
        port=arguments.port,
        environments=arguments.environments,
        by_keys=arguments.authorizer == "keys",
    )

    failed = threading.Event()

    def start() -> None:
        try:
            server.start()
        except StartError as error:
            print(error, file=sys.stderr, flush=True)
        except Exception:
            traceback.print_exc()
        else:
            return
        failed.set()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=start, daemon=True).start()
    signal.sigwait(_ENDS)
    server.stop()
    return int(failed.is_set())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line; `--help` has the rest."""
        self.exit(2, f"{message[:1].upper()}{message[1:]}\n")


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="python -m local", description="Omoide's dev server, on 127.0.0.1 alone.")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--environments", type=_positive, default=8, help="how many a function may have (default: %(default)s)"
    )
    parser.add_argument("--template", type=Path, default=_TEMPLATE, help="the SAM template (default: the project's)")
    parser.add_argument(
        "--authorizer",
        type=_authorizer,
        default=os.environ.get("AUTHORIZER") or "none",
        help="keys asks for an API key or a token, as the stack does; none takes X-Local-User (default: %(default)s)",
    )
    return parser.parse_args()


def _authorizer(text: str) -> str:
    if text not in ("keys", "none"):
        message = f"the authorizer is keys or none, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return text


def _port(text: str) -> int:
    return _number(text, 0, 65_535, "a port is a number from 0 to 65535")


def _positive(text: str) -> int:
    return _number(text, 1, 1_000, "a number from 1 to 1000 is needed")


def _number(text: str, low: int, high: int, wanted: str) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        message = f"{wanted}, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)  # at once: the embedded services' threads are not waited for
