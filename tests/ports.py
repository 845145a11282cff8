"""Ports that stay one's own while nobody listens on them."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held_port() -> Iterator[int]:
    """Hold a free port of 127.0.0.1: until the block ends nobody gets it who takes any, and who names it may listen.

    A port that is looked up and let go is free for whichever connection or server of this machine comes next. One that
    is bound and not listened on refuses connections; who listens sets ``SO_REUSEADDR``, as servers do (socket(7)).
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
