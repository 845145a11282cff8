"""The stock SDK for Node reads streams from the running server, where there is npm to have it from."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.model import faults
from tests.npm import run_npm

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.model.server import StandInModel
    from tests.dev_server import RunningServer

    Hear = Callable[..., dict[str, Any]]

PACKAGE = "openai@7.57.0"
SHA512 = "RbmrdE5NdfW6nGq/FaCJ3KFCZpotoExPzruQUSMCTw/ouUFO08vpvVdSmgmPxQMFAiv9EXZCEXvcWYU+n6NzsQ=="
SCRIPT = Path(__file__).parent / "node" / "streams.mjs"
TEXT = "Tell me of the sea, please: " + "word " * 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK, which needs no other package, and the script."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("There is no npm and node to have OpenAI's SDK for Node from.")
    made = tmp_path_factory.mktemp("node")
    failed = run_npm(npm, "pack", PACKAGE, "--pack-destination", str(made), folder=made)
    archives = list(made.glob("*.tgz"))
    if failed or not archives:
        pytest.skip(f"npm has no {PACKAGE} here: {failed}")
    assert base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode() == SHA512
    with tarfile.open(archives[0]) as archive:
        # Python 3.11.4 knows filters first.
        safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(made / "node_modules", **safely)  # noqa: S202 - its hash is known
    (made / "node_modules" / "package").rename(made / "node_modules" / "openai")
    shutil.copy(SCRIPT, made)
    return made


@pytest.fixture
def hear(folder: Path, server: RunningServer) -> Hear:
    """Let the SDK read a stream: ``responses``, its ``helper``, or ``chat``."""
    node = shutil.which("node") or ""

    def run(kind: str, **body: Any) -> dict[str, Any]:
        command = [node, SCRIPT.name, server.url, kind, json.dumps({"model": "gpt-4.1-mini", **body})]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
        assert done.returncode == 0, done.stderr
        heard: dict[str, Any] = json.loads(done.stdout)
        return heard

    return run


def question(kind: str, **place: Any) -> dict[str, Any]:
    text = f"{uuid4().hex} {TEXT}"
    return {"messages": [{"role": "user", "content": text}]} if kind == "chat" else {"input": text, **place}


@pytest.mark.parametrize("kind", ["responses", "helper"])
@pytest.mark.parametrize("remembered", [True, False])
def test_a_response_streams(hear: Hear, kind: str, *, remembered: bool) -> None:
    heard = hear(kind, **question(kind, **({"conversation": f"node-{uuid4().hex}"} if remembered else {})))
    assert heard["error"] is None
    assert heard["text"] == heard["whole"] != ""
    assert heard["types"][-1] in ("response.completed", "completed")


def test_a_completion_streams(hear: Hear) -> None:
    heard = hear("chat", **question("chat"), stream_options={"include_usage": True})
    assert heard["error"] is None
    assert heard["text"]
    assert heard["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("kind", ["responses", "helper", "chat"])
def test_a_model_that_breaks_off_raises(hear: Hear, model: StandInModel, kind: str) -> None:
    model.script.append(faults.cut_connection(after=6))
    assert hear(kind, **question(kind))["error"]["code"] == "upstream_error"


@pytest.mark.parametrize("kind", ["responses", "chat"])
def test_an_error_before_the_model_begins_has_its_status(hear: Hear, model: StandInModel, kind: str) -> None:
    model.script.append(faults.rate_limited(3))
    assert hear(kind, **question(kind))["error"]["status"] == 429
