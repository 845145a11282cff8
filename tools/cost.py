"""Tell what turns cost, ours beside the way of the posts: ``python -m tools.cost``, or ``make cost``.

The posts' way is LangChain's ConversationBufferMemory on Momento: the whole history is read, sent and kept nowhere
else. What a turn is made of are arguments; prices are data with their date and source (``tools/prices.json``).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRICES = ROOT / "tools" / "prices.json"
RESULTS = ROOT / "benchmarks" / "results.json"
_MILLION = 1_000_000
_OPERATION_BYTES = 1_024
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Work:
    """What one turn takes, on average.

    Parameters
    ----------
    tokens_in, tokens_out
        Sent to the model and answered by it, further calls included.
    seconds, gigabytes
        How long the function runs, and its memory.
    write_units, read_units
        Of DynamoDB.
    operations
        Of Momento, as it meters them.
    model_share
        Share of the turns that call the model; the others are answered from the cache.
    """

    tokens_in: float
    tokens_out: float
    seconds: float
    gigabytes: float
    write_units: float
    read_units: float
    operations: float
    model_share: float = 1.0


def cost(work: Work, prices: Mapping[str, Any], turns: int) -> dict[str, float]:
    """Give dollars by what is paid for."""
    usd = {name: one["usd"] for name, one in prices.items()}
    each = {
        "Model, input": work.model_share * work.tokens_in * usd["model_input"] / _MILLION,
        "Model, output": work.model_share * work.tokens_out * usd["model_output"] / _MILLION,
        "Lambda": work.seconds * work.gigabytes * usd["lambda_second"] + usd["lambda_request"] / _MILLION,
        "API Gateway": usd["gateway_request"] / _MILLION,
        "DynamoDB": (work.write_units * usd["dynamodb_write"] + work.read_units * usd["dynamodb_read"]) / _MILLION,
        "Momento": work.operations * _OPERATION_BYTES / _GIGABYTE * usd["momento_gigabyte"],
    }
    return {name: turns * dollars for name, dollars in each.items()}


def table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """Write a table of dollars, with a sum."""
    names = [*next(iter(columns.values()))]
    rows: list[Sequence[str]] = [["", *columns], ["---", *("---:" for _ in columns)]]
    rows += [[name, *(f"{column[name]:,.2f}" for column in columns.values())] for name in names]
    rows.append(["**Together**", *(f"**{sum(column.values()):,.2f}**" for column in columns.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def sides(options: argparse.Namespace) -> dict[str, Work]:
    """Put together what a turn of each side takes: as `make bench` found it, where nothing else is said."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    policies = found["tokens"]["policies"]
    metered = {side: _operations(found["turn"][side]) for side in ("omoide", "langchain")}
    ours, theirs = policies[options.policy], policies["langchain_buffer"]
    hits = options.hits / 100
    seconds = (1 - hits) * options.seconds + hits * 0.06
    return {
        f"Omoide, {options.policy}": Work(
            tokens_in=(options.sent or ours["mean"]) + ours["given"] / found["tokens"]["turns"],
            tokens_out=options.answer,
            seconds=seconds,
            gigabytes=options.memory,
            write_units=11,
            read_units=1,
            operations=options.operations or metered["omoide"],
            model_share=1 - hits,
        ),
        "LangChain's buffer on Momento": Work(
            tokens_in=options.buffer or theirs["mean"],
            tokens_out=options.answer,
            seconds=seconds,
            gigabytes=options.memory,
            write_units=0,
            read_units=0,
            operations=options.their_operations or metered["langchain"],
            model_share=1 - hits,
        ),
    }


def _operations(turns: Sequence[Mapping[str, Any]]) -> float:
    """Find what was metered at 100 messages."""
    return float(next(one["operations"] for one in turns if one["messages"] == 100))


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="make cost ARGS=…", description=(__doc__ or "").partition(":")[0] + ".")
    add = made.add_argument
    add("--turns", type=int, default=1_000, help="how many turns (1,000)")
    add("--policy", default="message_window", help="of those that make bench measured: 200 turns of 110 tokens")
    add("--sent", type=float, help="tokens sent a turn; default: as measured for the policy")
    add("--buffer", type=float, help="tokens that the whole history takes a turn; default: as measured")
    add("--answer", type=float, default=75, help="tokens of an answer (75)")
    add("--seconds", type=float, default=3, help="that the model takes (3)")
    add("--memory", type=float, default=1, help="GB of the function (1)")
    add("--hits", type=float, default=0, help="%% of the turns that the cache answers (0)")
    add("--operations", type=float, help="of Momento a turn; default: as measured at 100 messages")
    add("--their-operations", type=float, help="of LangChain's a turn; default: as measured at 100 messages")
    add("--prices", type=Path, default=PRICES, help="file of prices (tools/prices.json)")
    return made


def report(options: argparse.Namespace, data: Mapping[str, Any]) -> str:
    """Give the table."""
    columns = {name: cost(work, data["prices"], options.turns) for name, work in sides(options).items()}
    return f"USD for {options.turns:,} turns, prices of {data['checked']}:\n\n{table(columns)}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and where its prices are from."""
    options = parser().parse_args(arguments)
    data = json.loads(options.prices.read_text(encoding="utf-8"))
    print(report(options, data))
    for name, one in data["prices"].items():
        print(f"{name:<17} {one['usd']:>12} / {one['per']}  ({one['source']})")


if __name__ == "__main__":
    main()
