"""A provider that speaks OpenAI's API and leaves out every member that a client could do without.

``python -m tests.e2e.clients.lean_provider`` serves one and prints its ``OPENAI_BASE_URL``.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORDS = ["Well, ", "hello ", "there."]


def response(body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer with the first tool, else with words."""
    item: dict[str, Any]
    if body.get("tools"):
        item = {"type": "function_call", "call_id": "call_1", "name": body["tools"][0]["name"], "arguments": "{}"}
    else:
        item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "".join(WORDS)}]}
    return {"id": "resp_1", "output": [item]}


def events(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the same in the fewest events that hold it, none of which names its place."""
    whole = response(body)
    [item] = whole["output"]
    yield {"type": "response.created", "response": {"id": whole["id"]}}
    for word in WORDS if item["type"] == "message" else []:
        yield {"type": "response.output_text.delta", "delta": word}
    yield {"type": "response.output_item.done", "item": item}
    yield {"type": "response.completed", "response": whole}


def compaction(_body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a compaction and nothing beside it."""
    return {"id": "resp_1", "output": [{"type": "compaction", "encrypted_content": "c3R1ZmY="}]}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v1/responses/compact":
            self._answer("application/json", json.dumps(compaction(body)))
        elif body.get("stream"):
            self._answer("text/event-stream", "".join(f"data: {json.dumps(event)}\n\n" for event in events(body)))
        else:
            self._answer("application/json", json.dumps(response(body)))

    def do_GET(self) -> None:
        self._answer("application/json", '{"data": [{"id": "lean"}]}')

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@contextmanager
def lean_provider() -> Iterator[str]:
    """Serve one on a free port until the block ends, and give its ``base_url``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    with lean_provider() as url:
        input(f"OPENAI_BASE_URL={url}\n")
