"""The embedded AWS, and beside it moto's own server as it is, in a process of its own: nothing of ours reaches it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.embedded_aws import EmbeddedAws
from tests.contract.embedded_aws.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER = """
import logging, sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def embedded() -> Iterator[Caller]:
    with EmbeddedAws() as aws, Caller(aws.url) as caller:
        yield caller


@pytest.fixture(scope="module")
def moto() -> Iterator[Caller]:
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            with Caller(f"http://127.0.0.1:{int(process.stdout.readline())}") as caller:
                yield caller
        finally:
            process.terminate()
