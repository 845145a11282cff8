"""``docs/performance.md``: the results as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.program import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PAGE = ROOT / "docs" / "performance.md"
_HEAD = """# Performance

`make bench` measures Omoide beside LangChain + Momento as the posts have it (ConversationChain,
ConversationBufferMemory, MomentoChatMessageHistory, MomentoCache, a model of OpenAI's) in one run, on the same
embedded servers, and writes this page and `benchmarks/results.json`. LangChain's packages have an environment of their
own, pinned in `requirements/bench.txt`. LangChain's side keeps nothing durable; ours is in DynamoDB when the answer
leaves. The modules of `benchmarks/` tell what each figure is.

Counts are exact. Times are of one machine, over loopback without TLS: read them as ratios. A time is the median of its
rounds, with the least and the most behind it.
"""
_HITS = {
    "turn": "a turn that begins a conversation",
    "stored": "without a conversation, stored",
    "stateless": "without a conversation, `store: false`",
}
_COLLECTED = (
    "Python collects garbage on both sides as it does by default. At 5,000 messages LangChain's turns leave so much "
    "that Python 3.13 searches the whole heap in about one of four of them, which the mean holds and the median does "
    "not; Python 3.11 begins its collections sooner, and does so in every second turn."
)
_SIDES = {"omoide": "Omoide", "langchain": "LangChain + Momento"}


def write(results: Mapping[str, Any]) -> None:
    """Write the page."""
    PAGE.write_text(page(results), encoding="utf-8")


def page(results: Mapping[str, Any]) -> str:
    """Make the page of what there is."""
    parts = [_HEAD, _machine(results)]
    for name, section in _SECTIONS.items():
        if name in results:
            parts.append(section(results))
    return "\n".join(parts)


def _machine(results: Mapping[str, Any]) -> str:
    on = results["machine"]
    packages = ", ".join(f"{name} {found}" for name, found in on["packages"].items())
    when = ", ".join(f"{part} {at}" for part, at in results.get("measured", {}).items())
    busy = ""
    if on["load"] > on["cpus"] / 2:
        busy = f" It was busy when the run began (load {on['load']}): its times lie further apart than they would."
    return (
        f"Measured on {on['processor']}, {on['cpus']} processors, {on['system']}, Python {on['python']}; {packages}."
        f"{busy}\nParts and when they ran (UTC): {when}.\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def told(figure: Mapping[str, Any] | None, unit: str = "") -> str:
    """Tell a figure of several rounds."""
    if figure is None:
        return "–"
    return f"{figure['median']:g}{unit} ({figure['min']:g}–{figure['max']:g})"


def _targets(results: Mapping[str, Any]) -> str:
    rows, missed = [], 0
    for one in results["targets"]:
        missed += not one["met"]
        limit = f"{'≥' if one['at_least'] else '≤'} {one['limit']:g}{_unit(one)}"
        rows.append([one["name"], f"{one['found']:g}{_unit(one)}", limit, "yes" if one["met"] else "**no**"])
    said = "Every target is met." if not missed else f"{missed} of {len(rows)} targets are missed in this run."
    return f"## Targets\n\n{said}\n\n{table(['', 'found', 'target', 'met'], rows)}"


def _unit(one: Mapping[str, Any]) -> str:
    return f" {one['unit']}" if one["unit"] not in ("", "%") else one["unit"]


def _turn(results: Mapping[str, Any]) -> str:
    turns = results["turn"]
    pairs = [(name, one) for side, name in _SIDES.items() for one in turns[side]]
    rows = [_counted(name, one) for name, one in [*pairs, ("Omoide", turns["longest"])]]
    waits = [
        [name, f"{one['messages']:,}", *(f"{found['median'] * 1000:.1f}" for found in one["seconds"].values())]
        for name, one in pairs
    ]
    head = [
        "",
        "messages",
        "own CPU, ms",
        "mean",
        "of it DynamoDB's calls",
        "Momento calls",
        "in a row",
        "operations",
        "bytes read",
        "written",
    ]
    rtts = [f"{rtt} ms" for rtt in turns["omoide"][0]["seconds"]]
    stages = turns["omoide"][-1].get("stages", "")
    first, last = turns["omoide"][0], turns["omoide"][-1]
    share = (
        f"DynamoDB's calls (JSON, signature, HTTP) take {told(first.get('dynamodb_ms'), ' ms')} of our time at "
        f"{first['messages']} messages and {told(last.get('dynamodb_ms'), ' ms')} at {last['messages']:,}, for the "
        "three that make a turn durable: lease, commit, and the look whether the conversation was erased meanwhile. "
        "LangChain's side has no such calls, and loses its history with Momento's 24 hours."
    )
    return (
        "## One turn\n\nHistory of messages of 42 and 104 Japanese characters, the default window of 20; the model "
        "takes no time. Operations by Momento's metering, write units by the sizes of DynamoDB's rows.\n\n"
        f"{table([*head, 'write units'], rows)}\n{_COLLECTED}\n\n{share}\n\nMilliseconds of a turn, by the round "
        "trip of every call to a store (DynamoDB's too, which LangChain's side has not):\n\n"
        f"{table(['', 'messages', *rtts], waits)}\n"
        f"`Server-Timing` of the last one at 10 ms: `{stages}`\n"
    )


def _counted(name: str, one: Mapping[str, Any]) -> list[object]:
    counts = (f"{one[count]:,}" for count in ("operations", "bytes_read", "bytes_written"))
    calls = one["momento_calls"], one.get("in_a_row", "–")
    return [
        name,
        f"{one['messages']:,}",
        told(one.get("cpu_ms")),
        one.get("cpu_ms", {}).get("mean", "–"),
        told(one.get("dynamodb_ms")),
        *calls,
        *counts,
        one.get("write_units", "–"),
    ]


def _hit(results: Mapping[str, Any]) -> str:
    rows = [
        [
            _HITS[name],
            told(one["cpu_ms"]),
            one["momento_calls"],
            one["in_a_row"],
            one["operations"],
            one["model_calls"],
        ]
        for name, one in results["hit"].items()
    ]
    head = ["answered by the cache", "own CPU, ms", "Momento calls", "in a row", "operations", "model calls"]
    return f"### From the response cache\n\n{table(head, rows)}"


def _cold(results: Mapping[str, Any]) -> str:
    names = {"chat": "Omoide, chat", "history": "Omoide, history", "langchain": "LangChain + Momento"}
    rows = [
        [
            names[name],
            told(one["import_ms"]),
            told(one["start_to_answer_ms"]),
            told(one["answer_cpu_ms"]),
            told(one["memory_mb"]),
            one["modules"],
            one["modules_at_answer"],
        ]
        for name, one in results["cold_start"].items()
    ]
    head = [
        "fresh process",
        "import, ms",
        "to the first answer, ms",
        "CPU of it, ms",
        "most memory, MB",
        "modules",
        "at the answer",
    ]
    disk = results["disk"]
    sizes = [[_SIDES[side], f"{one['bytes'] / 2**20:.1f} MiB", one["packages"]] for side, one in disk.items()]
    return (
        "## Cold start\n\nThe first answer is a turn, of the history function a list of conversations; the "
        "interpreter's "
        f"own start is part of it.\n\n{table(head, rows)}\nOn disk, without bytecode:\n\n"
        f"{table(['', 'size', 'packages'], sizes)}"
    )


def _repeated(results: Mapping[str, Any]) -> str:
    names = {
        "responses": "Omoide, /v1/responses, `store: false`",
        "stored": "Omoide, /v1/responses, stored",
        "turn": "Omoide, a turn",
        "langchain": "LangChain's MomentoCache, a completions model",
    }
    rows = [
        [names.get(name, f"Omoide, /v1/{name}"), told(one["miss_ms"]), told(one["hit_ms"]), f"{one['faster']:.1%}"]
        for name, one in results["repeated"].items()
    ]
    same = results["identical"]
    counts = [[name, same[side]["model_calls"], f"{same[side]['seconds']} s"] for side, name in _SIDES.items()]
    faults = [
        [f"Momento {name}", told(one.get("closed_ms")), told(one.get("open_ms"))]
        for name, one in results.get("momento_fails", {}).items()
    ]
    return (
        "## A repeated question\n\nA model of 300 ms. Ours end to end, through the dev server; LangChain's in its own "
        f"process, without HTTP.\n\n{table(['', 'first, ms', 'again, ms', 'faster'], rows)}\n"
        f"{same['requests']} identical requests at once:\n\n"
        f"{table(['', 'calls of the model', 'last answer'], counts)}\n"
        f"What a failing Momento adds to a request, ms:\n\n{table(['', 'before the breaker opens', 'after'], faults)}"
    )


def _streaming(results: Mapping[str, Any]) -> str:
    names = {"model": "the model itself", "stateless": "Omoide, no conversation", "turn": "Omoide, a turn"}
    rows = [
        [
            names[name],
            told(one["first_ms"]),
            one.get("behind_ms", "–"),
            told(one["gap_ms"]),
            one.get("cpu_ms_1000_events", "–"),
        ]
        for name, one in results["first_token"].items()
    ]
    head = ["", "first token, ms", "behind the model", "between tokens", "CPU of 1,000 events, ms"]
    return f"## Time to the first token\n\n500 ms to the model's first, 50 ms each.\n\n{table(head, rows)}"


def _tokens(results: Mapping[str, Any]) -> str:
    found = results["tokens"]
    rows = [
        [
            f"`{name}`" if not name.startswith("langchain") else f"LangChain, {name.removeprefix('langchain_')}",
            f"{one['mean']:,}",
            f"{one['largest']:,}",
            f"{one['calls_a_turn']:.2f}",
            ("yes" if one["waited_for"] else "no") if one["calls"] else "–",
            "yes" if one["knows_turn_1"] else "no",
        ]
        for name, one in found["policies"].items()
    ]
    head = ["policy", "tokens sent a turn", "largest", "further calls a turn", "waited for", "knows turn 1"]
    return f"## Tokens of {found['turns']} turns of {found['tokens_a_turn']} tokens\n\n{table(head, rows)}"


def _recall(results: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{language}, {one['method']}",
            one["recall_at_4"],
            one["recall_512_tokens"],
            one["ndcg_10"],
            one["unrelated_retrieved"],
        ]
        for language, methods in results["recall"].items()
        for one in methods
    ]
    head = ["", "recall@4", "in 512 tokens", "nDCG@10", "found for the unrelated"]
    return f"## Recall\n\nThe same embedder for all; docs/long-term-memory.md tells of the data.\n\n{table(head, rows)}"


def _load(results: Mapping[str, Any]) -> str:
    rate, quota = results["throughput"], results["quota"]
    rows = [
        [
            name,
            f"{rate[f'{side}_turns']:g}",
            quota[side]["operations_a_turn"],
            f"{quota[side]['turns_a_second']:g}",
            f"{quota[side]['answered']} of {quota[side]['turns']}",
            quota[side]["refused"],
        ]
        for side, name in _SIDES.items()
    ]
    head = [
        "",
        "turns a second",
        "operations a turn",
        "turns a second by the quota",
        "answered beyond it",
        "calls refused",
    ]
    return (
        f"## One environment, and Momento's quota of {quota['operations_a_second']} operations a second\n\nOne "
        f"turn after the "
        f"other at 100 messages; the model takes no time. Ours also answers {rate['omoide_hits']:g} cached "
        f"questions a second.\n\n"
        f"{table(head, rows)}"
    )


def _views(results: Mapping[str, Any]) -> str:
    found = results["views_ms"]
    lengths = [f"{int(length):,}" for length in next(iter(found.values()))]
    rows = [[name, *times.values()] for name, times in found.items()]
    keys = [[name, f"{time} µs"] for name, time in results.get("key_us", {}).items()]
    prefix = [
        [name, f"{one['share']:.1%}", one["breaks"]] for name, one in results["prefix"].items() if isinstance(one, dict)
    ]
    return (
        f"## Parts\n\nTime of a view in ms, by messages in the history:\n\n{table(['', *lengths], rows)}\n"
        f"Prompt tokens in a prefix that the turn before sent too, over {results['prefix']['turns']} turns:\n\n"
        f"{table(['', 'share', 'turns that broke it'], prefix)}\nThe key of a request:\n\n{table(['', 'time'], keys)}"
    )


_SECTIONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "targets": _targets,
    "turn": _turn,
    "hit": _hit,
    "cold_start": _cold,
    "repeated": _repeated,
    "first_token": _streaming,
    "tokens": _tokens,
    "recall": _recall,
    "throughput": _load,
    "views_ms": _views,
}
