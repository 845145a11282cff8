"""Requests that nobody would send on purpose: valid ones of every route, each broken in some places by a seed."""

from __future__ import annotations

import copy
import json
import random
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tests.fuzz.valid import ANY_BODY, BODIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.application import Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
QUERIES = {
    "limit": ["1", "100", "0", "-1", "101", "1e2", "٣", "", "x", "9" * 40],
    "after": ["msg_1", "", "conv_1", "\x00", "x" * 5_000, "日本"],
    "order": ["asc", "desc", "ASC", "", "random"],
    "include": ["reasoning.encrypted_content", ""],
    "all": ["true", *["TRUE", "1", "", "true "] * 10],  # it takes away what the others are about
    "policy": ["buffer", "token_window", "message_window", "turn_window", "summary", "magic", ""],
    "max_tokens": ["5", "100000", "-1", "1.5", "9" * 20],
    "max_messages": ["2", "0", "1000000", "true"],
    "max_turns": ["2", "x"],
    "model": ["gpt-4.1-mini", "gpt-4", "", "no-such-model", "ft:gpt-4o:x::y"],
    "status": ["current", "superseded", "retracted", "new", ""],
    "subject": ["user", "", "x" * 300],
    "conversation": ["known", "conv_1", "..", ""],
    "stream": ["true", "false", "1"],
    "starting_after": ["1", "-1", "x"],
    "zz": ["", "1", "{}"],
}
HEADERS = {
    "idempotency-key": ["key-1", "key-2", "", "日本", " ", "k" * 255, "k" * 256, "a b", "\t"],
    "cache-control": [
        "no-cache",
        "no-store",
        "max-age=0",
        "max-age=99999999999999999999",
        "only-if-cached",
        "=,;=",
        "max-age=x",
    ],
    "x-stainless-retry-count": ["1", "-1", "x", "99999999999", "١"],
    "content-type": ["text/plain", "application/json; charset=utf-16", "multipart/form-data", "image/png", ""],
    "content-encoding": ["gzip", "br"],
    "accept": ["text/event-stream", "*/*", ""],
    "authorization": ["Bearer x", "Basic Og=="],
    "openai-beta": ["responses=v1"],
}
ODD_IDS = [
    "unknown",
    "a%3Ab",
    "%2e%2e",
    "a%2Fb",
    "%00",
    "%ff",
    "%E6%97%A5",
    "x" * 128,
    "x" * 129,
    "%25%33%41",
]
PARAMETERS = {
    "conversation_id": ["known", "conv_0123456789abcdef"],
    "item_id": ["msg_0", "msg_" + "f" * 28, "msg_" + "0" * 16 + "000000000001"],
    "response_id": ["resp_1", "resp_" + "f" * 28, "resp_" + "0" * 16 + "000000000001"],
    "fact_id": ["fact_1", "fact_" + "0" * 30],
    "model": ["gpt-4.1-mini", "no-such-model", "ft%3Agpt-4o%3Ax%3A%3Ay"],
    "proxy+": ["v1/x", "v1/responses/", "v2/responses", "%2e", "v1"],
}
"""What a route's path may hold, by the name of its parameter."""
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2.5, 1e308, 10**30, 10**400, -0.0),
    *("", " ", "x", "日本語👋", "\x00", "\u2028", "a\nb", "data:image/png;base64,AA==", "https://x.example/", "known"),
    *([], {}, [[]], [None], [1], ["x"], [{}], {"": ""}, {"a": None}, {"type": []}, {"type": {"a": 1}}, {"type": "x"}),
    *({"type": ["string", "null"]}, {"id": None}, {"id": []}, {"type": "item_reference", "id": "msg_1"}),
    *({"file_id": "file-1"}, {"enum": 5}, {"properties": {"a": {"enum": 5, "type": 7, "items": []}}}),
]
NAMES = [
    *("type", "id", "role", "content", "text", "conversation", "memory", "model", "input", "tools", "metadata", "name"),
    *("extra_body", "extra_headers", "extra_query", "timeout", "audio", "background", "previous_response_id", "prompt"),
    *("output_schema", "parameters", "status", "call_id", "output", "arguments", "items", "store", "user", "", "日本"),
    *("__proto__", "x" * 3_000, "a.b[0]", "policy", "max_tokens", "recall", "entities", "dry_run", "read_only"),
]
DEPTHS = [30, 99, 100, 101, 500, 975, 1_000, 5_000, 9_900, 20_000, 200_000]
# Stands for what `json.dumps` cannot write.
MARK = "@@{}@@"
_PLACEHOLDER = re.compile("<(resp|msg|conv)>")


@dataclass(frozen=True)
class Request:
    """A request as it goes to the gateway.

    Parameters
    ----------
    path
        Percent-encoded.
    query
        As it stands behind the ``?``.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass
class Generator:
    """Makes requests of the application's routes.

    Parameters
    ----------
    routes
        Of template.yaml: what takes a body has one in `BODIES`, and each parameter of a path stands in `PARAMETERS`.
    seed
        The same seed makes the same requests.
    ids
        Ids of things that there are: of the caller's and of another user's.
    """

    routes: Sequence[Route]
    seed: int
    ids: Sequence[str] = ()
    _random: random.Random = field(init=False)
    _texts: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Begin the sequence."""
        self._random = random.Random(self.seed)
        # A route that takes a body has more ways to be wrong.
        self._routes = [route for route in self.routes for _ in range(4 if route.method == "POST" else 1)]

    def requests(self, count: int) -> Iterator[Request]:
        """Yield so many requests."""
        for _ in range(count):
            yield self._request()

    def _request(self) -> Request:
        route = self._random.choice(self._routes)
        method = route.method if route.method != "ANY" else self._random.choice(METHODS)
        if self._chance(0.03):
            method = self._random.choice(METHODS)
        request = Request(method, self._path(route.resource))
        if self._chance(0.5 if method in ("GET", "DELETE") else 0.1):
            request = replace(request, query=self._query())
        if self._chance(0.3):
            names = self._random.sample(sorted(HEADERS), self._random.randint(1, 3))
            request = replace(request, headers=tuple((name, self._random.choice(HEADERS[name])) for name in names))
        if method in ("POST", "PUT", "PATCH") or self._chance(0.05):
            request = replace(request, body=self._body(method, route.resource))
        return request

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _path(self, resource: str) -> str:
        path = resource
        while "{" in path:
            before, _, rest = path.partition("{")
            name, _, rest = rest.partition("}")
            known = self.ids if self.ids and self._chance(0.5) else [*PARAMETERS[name], *ODD_IDS]
            path = before + self._random.choice(known) + rest
        return path

    def _query(self) -> str:
        names = self._random.choices(sorted(QUERIES), k=self._random.randint(1, 3))
        pairs = [(name, self._random.choice(QUERIES[name])) for name in names]
        if self.ids and self._chance(0.3):
            pairs.append(("after", self._random.choice(self.ids)))
        return urlencode(pairs) if self._chance(0.9) else "&=&%zz=%ff&" + quote("日本")

    def _body(self, method: str, resource: str) -> bytes:
        body = copy.deepcopy(self._random.choice(BODIES.get((method, resource), [ANY_BODY])))
        if "conversation" in body and self._chance(0.5):
            body["conversation"] = f"fuzz-{self._random.randrange(10_000)}"
        self._texts.clear()
        for _ in range(self._random.choice([0, 1, 1, 1, 1, 2, 3])):
            body = self._random.choice(
                [self._retyped, self._retyped, self._retyped, self._less, self._more, self._large]
            )(body)
        text = _PLACEHOLDER.sub(self._known, json.dumps(body, ensure_ascii=self._chance(0.5)))
        for mark, written in self._texts.items():
            text = text.replace(f'"{mark}"', written)
        return self._spelled(text) if self._chance(0.08) else text.encode("utf-8", "surrogatepass")

    def _known(self, found: re.Match[str]) -> str:
        """Name something that there is, as the placeholder of a valid body asks."""
        known = [one for one in self.ids if one.startswith(found[1])]
        return self._random.choice(known) if known else f"{found[1]}_1"

    # How a body goes wrong

    def _places(self, value: Any) -> list[tuple[Any, Any]]:
        """List every place in a value: what holds it, and under which name or number."""
        found = []
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, child in children:
            found.append((value, name))
            found += self._places(child)
        return found

    def _changed(self, body: Any, change: Callable[[Any, Any], None]) -> Any:
        if places := self._places(body):
            change(*self._random.choice(places))
        return body

    def _retyped(self, body: Any) -> Any:
        """Put a value of any type where another stood, at any depth; seldom in place of the whole body."""
        if self._chance(0.02):
            return self._value()
        return self._changed(body, lambda holder, name: holder.__setitem__(name, self._value()))

    def _less(self, body: Any) -> Any:
        return self._changed(body, lambda holder, name: holder.__delitem__(name))

    def _more(self, body: Any) -> Any:
        """Add a member to any object."""
        holders = [body, *(holder[name] for holder, name in self._places(body))]
        if objects := [holder for holder in holders if isinstance(holder, dict)]:
            self._random.choice(objects)[self._random.choice(NAMES)] = self._value()
        return body

    def _large(self, body: Any) -> Any:
        """Put something very long, very deep or very many in any place."""
        made = self._random.choice([self._long, self._deep, self._deep, self._many])()
        return self._changed(body, lambda holder, name: holder.__setitem__(name, made))

    def _value(self) -> Any:
        return copy.deepcopy(self._random.choice(VALUES))

    def _long(self) -> Any:
        size = self._random.choice([513, 10_000, 300_000, 1_500_000])
        return "".join(self._random.choices("abcdefghij klmnop日本👋", k=200)) * (size // 200)

    def _deep(self) -> str:
        depth, opened = self._random.choice(DEPTHS), self._random.choice(["[", '{"a":'])
        closed = {"[": "]", '{"a":': "}"}[opened] * depth if self._chance(0.8) else ""
        return self._written(opened * depth + ("1" if opened != "[" else "") + closed)

    def _many(self) -> str:
        element = self._random.choice(["1", "null", '"x"', "{}", "[]", '{"role":"user","content":"x"}', '{"type":"x"}'])
        count = self._random.choice([3, 130, 2_049, 100_000])
        return self._written("[" + ",".join([element] * count) + "]")

    def _written(self, text: str) -> str:
        mark = MARK.format(len(self._texts))
        self._texts[mark] = text
        return mark

    def _spelled(self, text: str) -> bytes:
        """Write a body in a way that is no JSON, or only just."""
        raw = text.encode("utf-8", "surrogatepass")
        return self._random.choice(
            [
                b"",
                b"null",
                b'"text"',
                b"[]",
                raw[: self._random.randrange(len(raw))],
                raw + b" trailing",
                b"\xef\xbb\xbf" + raw,
                text.encode("utf-16"),
                text.encode("latin-1", "replace"),
                raw.replace(b"hi", b"\xff\xfe"),
                raw.replace(b"hi", b"\\ud83d"),
                raw.replace(b":", b":NaN,", 1),
                raw.replace(b"0", b"1e999"),
                raw.replace(b"1", b"9" * 5_000),
                raw[:-1] + b',"input":"twice","model":7}',
                b'{"\\ud800":1}',
                b'{"input":"\\u0000","model":"gpt-4.1-mini"}',
            ]
        )
