"""Our side: an environment of the chat function, whose turns run through `lambda_handler`.

``python -m benchmarks.omoide`` takes commands; ``python -m benchmarks.omoide cold chat`` tells of its own start.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

STARTED = time.process_time(), time.perf_counter()

if TYPE_CHECKING:
    from chat_core.wiring import Stores

USER = "local"
MODEL = "gpt-4.1-mini"
PAGE = 1_000


@dataclass(frozen=True)
class Context:
    """What Lambda tells of an invocation."""

    function_name: str = "bench"
    function_version: str = "1"
    memory_limit_in_mb: str = "1024"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def event(method: str, path: str, body: dict[str, Any] | None = None, **parameters: str) -> dict[str, Any]:
    """Make an API Gateway REST proxy event."""
    import json

    headers = {"Content-Type": ["application/json"], "Authorization": ["Bearer fake"], "Host": ["api.example.com"]}
    resource = path
    for name, value in parameters.items():
        resource = resource.replace(value, f"{{{name}}}")
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {name: values[0] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "bench",
            "stage": "bench",
            "resourcePath": resource,
            "httpMethod": method,
            "path": path,
            "authorizer": {"claims": {"sub": USER}},
        },
        "body": None if body is None else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


class Timed:
    """The client of DynamoDB, with the processor time of the threads that its calls are made in."""

    def __init__(self, client: Any) -> None:
        self.seconds = 0.0
        self._client = client

    def call(self, *request: Any, **how: Any) -> Any:
        began = time.thread_time()
        try:
            return self._client.call(*request, **how)
        finally:
            self.seconds += time.thread_time() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class Side:
    """One environment."""

    def __init__(self) -> None:
        self._stores: Stores | None = None

    def turn(self, text: str, *, conversation: str = "", **more: Any) -> dict[str, Any]:
        """Run a turn, or a call without a conversation."""
        from chat.handler import lambda_handler

        own = {"conversation": conversation} if conversation else {}
        made = event("POST", "/v1/responses", {"model": MODEL, "input": text, **own, **more})
        began, spent = time.perf_counter(), time.process_time()
        answer = lambda_handler(made, Context())
        spent, seconds = time.process_time() - spent, time.perf_counter() - began
        headers = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
        return {
            "ok": answer["statusCode"] == 200,
            "seconds": seconds,
            "cpu": spent,
            "timing": headers.get("server-timing", ""),
            "cache": headers.get("x-cache", ""),
        }

    def turns(self, text: str, count: int, **more: Any) -> list[dict[str, Any]]:
        """Run turns one after the other."""
        return [self.turn(f"{text}{number}", **more) for number in range(count)]

    def fill(self, conversation: str, messages: list[list[str]]) -> None:
        """Write a history: role and text of each message."""
        from chat.handler import parts
        from chat_core.api import event_loop
        from chat_core.history import Commit, Lease
        from chat_core.keys import Address
        from chat_core.messages import Turn, from_items, stored_item

        stores = self._stores = parts().stores

        async def filled() -> None:
            head = await stores.leases.take(Address(USER, conversation), Lease("fill", 2**40), create=True)
            for start in range(0, len(messages), PAGE):
                page = [stored_item({"role": role, "content": text}) for role, text in messages[start : start + PAGE]]
                turn = Turn(f"turn_{start}", tuple(page), 1)
                commit = Commit(turn, inputs=len(page), messages=len(from_items(turn.items)))
                head = await stores.history.commit(head, commit, token=None)
            await stores.leases.release(head.address, "fill")

        event_loop.run(filled())

    def dynamodb(self, text: str, conversation: str) -> float:
        """Run a turn, and tell the processor seconds that its calls of DynamoDB took: JSON, signature and HTTP."""
        from chat.handler import parts

        table = parts().stores.table
        client = table._connected()  # noqa: SLF001 - nobody else asks what a call costs
        timed = Timed(client)
        table._client = timed  # noqa: SLF001
        self.turn(text, conversation=conversation)
        table._client = client  # noqa: SLF001
        return timed.seconds

    def units(self, conversation: str) -> dict[str, Any]:
        """Run a turn whose writes are metered by the sizes of the rows."""
        from benchmarks.program import ROOT
        from chat.handler import parts
        from local.application import read_application
        from tests.write_units import Metered

        table = parts().stores.table
        definition = read_application(ROOT / "template.yaml").tables[0].definition
        client = table._connected()  # noqa: SLF001 - nobody else asks what a call costs
        metered = Metered(client, definition)
        table._client = metered  # noqa: SLF001
        self.turn("この書き込みはいくらになりますか。", conversation=conversation)
        table._client = client  # noqa: SLF001
        return {"write_units": metered.units, "told": metered.told}


def cold(function: str) -> None:
    """Import a handler, answer once, and tell what that took; times since the process began to run our code."""
    import json
    import os
    import resource

    # The layer has none, nor has LangChain's environment: moto brought it here, and Momento's SDK takes it where it is.
    sys.modules["cryptography"] = None  # type: ignore[assignment]
    if function == "chat":
        from chat_core.runtime.loop import find_handler

        find_handler("chat.handler.lambda_handler")  # as the environment's own loop imports it
        from chat.handler import lambda_handler
    else:
        from history.handler import lambda_handler
    imported = time.process_time(), time.perf_counter()
    modules = len(sys.modules)
    if function == "chat":
        body = {"model": MODEL, "input": f"こんにちは {os.getpid()}", "conversation": f"cold-{os.getpid()}"}
        asked = event("POST", "/v1/responses", body)
    else:
        asked = event("GET", "/v1/conversations")
    told, sys.stdout = sys.stdout, sys.stderr
    answer = lambda_handler(asked, Context())
    assert answer["statusCode"] == 200, answer
    done = {
        "import_cpu": imported[0] - STARTED[0],
        "import": imported[1] - STARTED[1],
        "answer_cpu": time.process_time(),
        "modules": modules,
        "modules_at_answer": len(sys.modules),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(done), file=told, flush=True)


def main() -> None:
    if sys.argv[1:2] == ["cold"]:
        cold(sys.argv[2])
        return
    from benchmarks.program import serve

    side = Side()
    serve(
        {"turn": side.turn, "turns": side.turns, "fill": side.fill, "units": side.units, "dynamodb": side.dynamodb}, {}
    )


if __name__ == "__main__":
    main()
