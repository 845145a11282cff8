"""``python -m tools.openapi``, or ``make openapi``: write docs/openapi.json.

Its routes are those of template.yaml, its shapes those of OpenAI's own schema, and what is Omoide's own stands in
tools/openapi.yaml. The file is the same for the same three.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

import chat_core
from chat_core.api.cors import EXPOSED
from local.application import read_application
from tools.environment import say
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.application import Route

TARGET = ROOT / "docs" / "openapi.json"
OURS = ROOT / "tools" / "openapi.yaml"
OPENAIS = ROOT / "tests" / "schemas" / "openai.json"
_REFERENCE = "#/components/schemas/"
_GREEDY = "+}"

Json = dict[str, Any]


class NotDescribed(Exception):
    """A route has no words in tools/openapi.yaml, or words have no route; the message names it."""


def make() -> Json:
    """Put the description together.

    Raises
    ------
    NotDescribed
        See there.
    """
    ours = yaml.safe_load(OURS.read_text("utf-8"))
    openais = json.loads(OPENAIS.read_text("utf-8"))
    routes = {
        f"{route.method} {route.resource}": route
        for route in read_application(ROOT / "template.yaml").routes
        if not route.resource.endswith(_GREEDY)
    }
    if odd := sorted(routes.keys() ^ ours["operations"].keys()):
        raise NotDescribed(", ".join(odd))
    paths: Json = {}
    for name, words in ours["operations"].items():
        route = routes[name]
        operation = _operation(route, words, ours["parameters"])
        paths.setdefault(route.resource, {})[route.method.lower()] = operation
    theirs = {name: _mended(schema, name) for name, schema in openais["components"]["schemas"].items()}
    schemas = {**theirs, **ours["schemas"]}
    used = _used(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {**ours["info"], "version": chat_core.__version__},
        "servers": _servers(),
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key or a token"}},
            "responses": {"Error": _answer("What went wrong, in OpenAI's envelope", _schema("ErrorResponse"))},
            "schemas": {name: schemas[name] for name in sorted(used)},
        },
    }


def written(description: Json) -> str:
    """Write it, a line for each operation and each schema."""
    lines = ["{"]
    for name, value in description.items():
        if name in ("paths", "components"):
            groups = [f" {json.dumps(key)}: {_members(inner)}" for key, inner in value.items()]
            lines.append(f"{json.dumps(name)}: {{\n" + ",\n".join(groups) + "\n},")
        else:
            lines.append(f"{json.dumps(name)}: {_compact(value)},")
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join([*lines, "}"]) + "\n"


def _members(value: Mapping[str, Any]) -> str:
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {_compact(inner)}" for name, inner in value.items()) + "\n }"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _operation(route: Route, words: Json, parameters: Json) -> Json:
    named = re.findall(r"\{(\w+)\}", route.resource)
    headers = [*words.get("headers", ()), *(["X-Omoide-User"] if route.authorized else [])]
    found = [
        *(_parameter(name, "path", parameters[name]) for name in named),
        *(_parameter(name, "query", parameters[name]) for name in words.get("query", ())),
        *(_parameter(name, "header", parameters[name]) for name in headers),
    ]
    content = {"application/json": {"schema": _schema(words["answer"])}}
    if "stream" in words:
        content["text/event-stream"] = {"schema": _schema(words["stream"])}
    operation: Json = {"operationId": _id(route), "summary": words["summary"], "parameters": found}
    if "request" in words:
        body = {"application/json": {"schema": _schema(words["request"])}}
        operation["requestBody"] = {"required": not words.get("optional_body", False), "content": body}
    operation["responses"] = {
        "200": {"description": words["summary"], "headers": _headers(), "content": content},
        "default": {"$ref": "#/components/responses/Error"},
    }
    return operation if route.authorized else {**operation, "security": []}


def _id(route: Route) -> str:
    words = re.findall(r"[A-Za-z]+", route.resource.removeprefix("/v1"))
    return route.method.lower() + "".join(word.capitalize() for word in words)


def _parameter(name: str, place: str, words: Json) -> Json:
    required = place == "path" or words.get("required", False)
    return {
        "name": words.get("name", name),
        "in": place,
        **({"required": True} if required else {}),
        "description": words["description"],
        "schema": words["schema"],
    }


def _headers() -> Json:
    return {name: {"schema": {"type": "string"}} for name in EXPOSED}


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "headers": _headers(), "content": {"application/json": {"schema": schema}}}


def _schema(named: str | Json) -> Json:
    return {"$ref": f"{_REFERENCE}{named}"} if isinstance(named, str) else named


def _servers() -> list[Json]:
    host = "https://{api}.execute-api.{region}.amazonaws.com/{stage}"
    variables = {"api": {"default": "api"}, "region": {"default": "us-east-1"}, "stage": {"default": "dev"}}
    return [
        {"url": "http://127.0.0.1:8000", "description": "make run"},
        {"url": host, "description": "A stack", "variables": variables},
    ]


def _used(paths: Json, schemas: Json) -> set[str]:
    """Name the schemas that the paths lead to."""
    found = {"ErrorResponse"}
    left = [*_references(paths), *found]
    while left:
        name = left.pop()
        found.add(name)
        left += [other for other in _references(schemas[name]) if other not in found]
    return found


def _mended(value: Any, name: str) -> Any:
    """Write a schema of OpenAI's as OpenAPI 3.1 has it: it knows no ``$recursiveRef``, nor a default of another type.

    Parameters
    ----------
    name
        Of the schema.
    """
    if isinstance(value, list):
        return [_mended(inner, name) for inner in value]
    if not isinstance(value, dict):
        return value
    if "$recursiveRef" in value:
        return _schema(name)
    wrong = {"$recursiveAnchor"} | ({"default"} if "default" in value and value["default"] is None else set())
    return {member: _mended(inner, name) for member, inner in value.items() if member not in wrong}


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref" and isinstance(inner, str) and inner.startswith(_REFERENCE):
                yield inner.removeprefix(_REFERENCE)
            elif name == "mapping":
                yield from (one.removeprefix(_REFERENCE) for one in inner.values())
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def main() -> None:
    """Run the command line."""
    TARGET.write_text(written(make()), encoding="utf-8")
    say(f"Written: {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
