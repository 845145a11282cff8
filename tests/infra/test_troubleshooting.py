"""docs/troubleshooting.md has a row for every error code and every detail of Cache-Status that there is."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from chat_core import errors
from chat_core.api.checks import _CODES
from chat_core.api.errors import STATUSES
from chat_core.cache.status import CLAMPED
from chat_core.conversations.memory import Status
from chat_core.long_term.summary import Refusal
from chat_core.momento.connection import _NO_SECRET, _REASONS
from tests.infra import stack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = sorted((*ROOT.glob("layers/chat_core/chat_core/**/*.py"), *ROOT.glob("functions/*/*/**/*.py")))


def test_every_code_has_a_row_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", _section("## Error codes"), re.MULTILINE)
    told = {code: set(statuses.split(", ")) for code, statuses in rows}
    assert len(told) == len(rows)
    assert told == _statuses()


def test_every_detail_of_cache_status_has_a_row() -> None:
    told = set(re.findall(r"^\| `([\w-]+)` \| [^|]+ \| [^|]+ \|$", _section("## `Cache-Status`"), re.MULTILINE))
    assert told == set(_details())


def test_every_state_of_long_term_memory_has_a_row() -> None:
    section = _section("## Long-term memory does not come")
    assert all(f"| `{status}` |" in section for status in get_args(Status))
    assert all(f"`{reason}`" in section for reason in get_args(Refusal))


def _section(heading: str) -> str:
    return PAGE.partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def _statuses() -> dict[str, set[str]]:
    """Find the codes of the core's errors, of what raises them under another one, and of the gateway, by status."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ChatError) and "code" in vars(kind):
            found[kind.code].add(_status(name))
    for call in _calls():
        name = ast.unparse(call.func).removeprefix("errors.")
        given = [keyword.value for keyword in call.keywords if keyword.arg == "code" and name in vars(errors)]
        for value in given:
            if isinstance(value, ast.Constant):
                found[str(value.value)].add(_status(name))
    for code, _ in _CODES.values():  # pydantic's kinds of error
        found[code].add(_status("InvalidRequest"))
    for code, status in (*_of_the_gateway(), *_of_the_dev_server()):
        found[code].add(status)
    return dict(found)


def _status(name: str) -> str:
    kind = vars(errors)[name]
    if issubclass(kind, errors.UpstreamRejected):
        return "the provider's"
    return str(next((STATUSES[one][0] for one in kind.__mro__ if one in STATUSES), int(HTTPStatus(500))))


def _of_the_gateway() -> Iterator[tuple[str, str]]:
    api = stack.only("AWS::Serverless::Api")["Properties"]
    for name, response in api["GatewayResponses"].items():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        yield body["error"]["code"], str(response.get("StatusCode") or name.removeprefix("DEFAULT_").lower())


def _of_the_dev_server() -> Iterator[tuple[str, str]]:
    for call in _calls(ROOT / "local" / "guard.py"):
        if ast.unparse(call.func) == "_refuse":
            status, _, code = (ast.literal_eval(one) if isinstance(one, ast.Constant) else "" for one in call.args)
            yield code, str(status)


def _details() -> Iterator[str]:
    """Find why the cache is bypassed: by its rules, by the turn, or by what Momento did."""
    yield CLAMPED
    for call in _calls():
        name = ast.unparse(call.func)
        value = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if name.endswith(".to_bypass") and isinstance(value, str):
            yield value
        if name == "CacheUnavailable" and isinstance(value, str):
            yield _of_momento(value)
    request = (ROOT / "layers/chat_core/chat_core/turns/request.py").read_text(encoding="utf-8")
    yield from re.findall(r'bypass = "([\w-]+)"', request)
    for reason in (*_REASONS.values(), _NO_SECRET, "error"):
        yield _of_momento(reason)


def _of_momento(reason: str) -> str:
    return f"cache-{reason.replace('_', '-')}"


def _calls(*paths: Path) -> Iterator[ast.Call]:
    for path in paths or SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))
