"""The stand-in model's usage and the dry run count alike, so that a budget that is kept is seen to be kept."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.nightly import NIGHTLY

if TYPE_CHECKING:
    from tests.integration.app import App

TEXTS = (
    "私の名前は渡辺直美です。",
    "The train to Ōsaka leaves at 10:42 from platform 3, doesn't it?",
    "🎉 naïve café — “quoted”…\n\n  indented\ttext",
    "def f(x):\n    return {'a': x ** 2}\n",
    "明日の会議は何時からでしたっけ？",
    "ok",
)
TOOL = {
    "type": "function",
    "name": "lookup",
    "description": "Look a place up.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string", "description": "Its name."}, "unit": {"enum": ["C", "F"]}},
    },
}


def history(chance: random.Random) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if chance.random() < 0.5:
        items.append({"role": chance.choice(("system", "developer")), "content": chance.choice(TEXTS)})
    for number in range(chance.randrange(5)):
        parts = [{"type": "input_text", "text": chance.choice(TEXTS)} for _ in range(chance.randint(1, 3))]
        items.append({"role": "user", "content": chance.choice((chance.choice(TEXTS), parts))})
        if chance.random() < 0.4:
            call = {"type": "function_call", "call_id": f"c{number}", "name": "lookup", "arguments": '{"place":"大阪"}'}
            items += [call, {"type": "function_call_output", "call_id": f"c{number}", "output": chance.choice(TEXTS)}]
        items.append({"role": "assistant", "content": chance.choice(TEXTS)})
    return items


def test_usage_equals_the_dry_runs_total(app: App) -> None:
    for seed in range(200 if NIGHTLY else 25):
        chance = random.Random(seed)
        created = app.call("POST", "/v1/conversations", {"items": history(chance)})
        turn: dict[str, Any] = {"model": chance.choice(("gpt-4.1-mini", "gpt-4-0613", "unknown-model"))}
        if chance.random() < 0.3:
            turn["tools"] = [TOOL]
        if chance.random() < 0.3:
            turn["instructions"] = chance.choice(TEXTS)
        memory = chance.choice(({}, {"policy": "buffer"}, {"policy": "token_window", "max_tokens": 120}))
        text, name = chance.choice(TEXTS), created.body["id"]
        dry = app.turn(name, text, memory={**memory, "dry_run": True}, **turn)
        answer = app.turn(name, text, **({"memory": memory} if memory else {}), **turn)
        if dry.status == 400:  # the budget is too small for the tools or the instructions
            assert answer.error["code"] == dry.error["code"] == "context_budget_exceeded"
            continue
        assert answer.body["usage"]["input_tokens"] == dry.body["tokens"]["total"], f"seed {seed}"
