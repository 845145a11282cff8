"""``python -m local``: the dev server."""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_TEMPLATE = _ROOT / "template.yaml"


def main() -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    arguments = _arguments()
    ends: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ends.put(0))

    sys.path.append(str(_ROOT / "layers" / "chat_core"))  # the stand-in model streams as the layer does
    # After the signals: this takes long enough for an impatient Ctrl-C.
    from local.server import Server
    from local.services import StartError

    server = Server(arguments.template, port=arguments.port, environments=arguments.environments)

    def start() -> None:
        try:
            server.start()
        except StartError as error:
            print(error, file=sys.stderr, flush=True)
            ends.put(1)
        except Exception:
            traceback.print_exc()
            ends.put(1)

    threading.Thread(target=start, daemon=True).start()
    code = ends.get()
    server.stop()
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="Omoide's dev server, on 127.0.0.1 alone.")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--environments", type=_positive, default=8, help="how many a function may have (default: %(default)s)"
    )
    parser.add_argument("--template", type=Path, default=_TEMPLATE, help="the SAM template (default: the project's)")
    return parser.parse_args()


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one is needed")
    return number


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)  # at once: the embedded services' threads are not waited for
