"""What the dev server takes from template.yaml: functions, routes, the gateway's own answers, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.cloudformation import Resolver, TemplateError, load_template
from local.event_sources import schedules, stream_sources
from local.rest_api import authorizer, gateway_responses, preflight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.event_sources import Schedule, StreamSource
    from local.rest_api import AuthorizedBy, GatewayResponse

_FUNCTION_PROPERTIES = (
    "CodeUri",
    "Environment",
    "Events",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "Runtime",
    "Timeout",
)
# Of a table's definition: what `CreateTable` takes and what has a meaning on one machine.
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
)


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Parameters
    ----------
    name
        Its logical id.
    handler
        ``module.function``.
    paths
        What comes first on ``sys.path``: the function's code, then its layers.
    timeout
        Seconds.
    memory_mb
        MiB; told to the handler, not enforced.
    runtime
        As Lambda names it.
    environment
        Its variables, all as text.
    streams, schedules
        What starts it beside requests.
    """

    name: str
    handler: str
    paths: tuple[Path, ...]
    timeout: float
    memory_mb: int
    runtime: str
    environment: Mapping[str, str]
    streams: tuple[StreamSource, ...] = ()
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a resource of the REST API.

    Parameters
    ----------
    method
        In upper case; ``ANY`` takes each.
    resource
        The path with its parameters in braces; one with a plus sign, at the end, takes all the rest.
    function
        Logical id of the function behind it.
    authorized
        Whether an authorizer stands before it.
    streams
        Whether the gateway hands the answer on as it comes (``ResponseTransferMode: RESPONSE_STREAM``).
    """

    method: str
    resource: str
    function: str
    authorized: bool = True
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table.

    Parameters
    ----------
    name
        As the functions are told it.
    definition
        Arguments of ``CreateTable`` beside the name.
    ttl_attribute
        The attribute by which items expire, None without one.
    """

    name: str
    definition: Mapping[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True, slots=True)
class Application:
    """The whole template, as far as it runs on one machine.

    Parameters
    ----------
    gateway_responses
        By API Gateway's names.
    preflight
        Headers of the answer to what a browser asks before it calls another origin; None where nothing answers it.
    authorizer
        Who says who calls; None where no function does.
    """

    functions: tuple[Function, ...]
    routes: tuple[Route, ...]
    gateway_responses: Mapping[str, GatewayResponse]
    tables: tuple[Table, ...]
    preflight: Mapping[str, str] | None = None
    authorizer: AuthorizedBy | None = None


def read_application(path: Path, parameters: Mapping[str, Any] | None = None) -> Application:
    """Read a SAM template.

    Parameters
    ----------
    parameters
        Of the deployment; the others have their defaults.

    Raises
    ------
    TemplateError
        If it cannot be read or followed.
    """
    template = load_template(path)
    resolver = Resolver(template, parameters)
    defaults = template.get("Globals", {}).get("Function", {})
    functions, routes = [], []
    for name, resource in resolver.resources("AWS::Serverless::Function"):
        raw = _merge(defaults, resource["Properties"])
        properties = resolver.resolve({key: raw[key] for key in _FUNCTION_PROPERTIES if key in raw})
        paths = [path.parent / properties["CodeUri"], *_layers(resolver, path.parent, raw.get("Layers", []))]
        functions.append(_function(name, properties, paths))
        routes += _routes(name, properties.get("Events", {}))
    return Application(
        functions=tuple(functions),
        routes=tuple(routes),
        gateway_responses=gateway_responses(resolver),
        tables=tuple(_table(resolver, name, resource) for name, resource in resolver.resources("AWS::DynamoDB::Table")),
        preflight=preflight(resolver),
        authorizer=authorizer(resolver),
    )


def _merge(defaults: Any, own: Any) -> Any:
    """Merge as SAM merges ``Globals``: maps by key, lists one behind the other, all else replaced."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        merged = {**defaults, **own}
        merged.update({name: _merge(defaults[name], own[name]) for name in defaults.keys() & own.keys()})
        return merged
    if isinstance(defaults, list) and isinstance(own, list):
        return defaults + own
    return own


def _function(name: str, properties: Mapping[str, Any], paths: list[Path]) -> Function:
    variables = properties.get("Environment", {}).get("Variables", {})
    level = properties.get("LoggingConfig", {}).get("ApplicationLogLevel")
    return Function(
        name=name,
        handler=properties["Handler"],
        paths=tuple(path.resolve() for path in paths),
        timeout=float(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        runtime=properties.get("Runtime", ""),
        environment={
            **{variable: _text(value) for variable, value in variables.items()},
            **({"AWS_LAMBDA_LOG_LEVEL": level} if level else {}),
        },
        streams=stream_sources(properties.get("Events", {})),
        schedules=schedules(properties.get("Events", {})),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _layers(resolver: Resolver, root: Path, layers: list[Any]) -> list[Path]:
    """Find the folder of each layer's packages: `sam build` puts it under ``python/`` unless it already is there."""
    known = dict(resolver.resources("AWS::Serverless::LayerVersion"))
    paths = []
    for layer in layers:
        resource = known.get(layer.get("Ref", "") if isinstance(layer, dict) else "")
        if resource is None:
            message = f"The layer {layer} is not one of the template's own."
            raise TemplateError(message)
        content = root / resolver.resolve(resource["Properties"]["ContentUri"])
        paths.append(content if resource.get("Metadata", {}).get("BuildMethod") else content / "python")
    return paths


def _routes(function: str, events: Mapping[str, Any]) -> list[Route]:
    routes = []
    for event in events.values():
        if event["Type"] == "Api":
            properties = event["Properties"]
            authorized = properties.get("Auth", {}).get("Authorizer") != "NONE"
            streams = properties.get("ResponseTransferMode") == "RESPONSE_STREAM"
            route = Route(properties["Method"].upper(), properties["Path"], function, authorized, streams)
            if "+}" in route.resource[:-2]:
                message = f"The route {route.resource} has a greedy path variable that is not its last part."
                raise TemplateError(message)
            routes.append(route)
    return routes


def _table(resolver: Resolver, name: str, resource: Mapping[str, Any]) -> Table:
    properties = resolver.resolve(resource.get("Properties", {}))
    if "StreamSpecification" in properties:  # CloudFormation says by its presence what CreateTable says in it
        properties["StreamSpecification"] = {**properties["StreamSpecification"], "StreamEnabled": True}
    ttl = properties.get("TimeToLiveSpecification", {})
    return Table(
        name=resolver.resolve({"Ref": name}),
        definition={key: properties[key] for key in _TABLE_PROPERTIES if key in properties},
        ttl_attribute=ttl.get("AttributeName") if ttl.get("Enabled") else None,
    )
