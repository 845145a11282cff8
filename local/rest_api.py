"""What the dev server takes from the REST API of template.yaml beside its routes: what the gateway does by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.cloudformation import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.cloudformation import Resolver


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """What API Gateway answers by itself to one kind of error.

    Parameters
    ----------
    status
        Replaces the kind's own status; None leaves it.
    headers
        Added to the answer.
    template
        Of the JSON body; None leaves API Gateway's own.
    """

    status: int | None
    headers: Mapping[str, str]
    template: str | None


@dataclass(frozen=True, slots=True)
class AuthorizedBy:
    """The Lambda authorizer before the routes.

    Parameters
    ----------
    function
        Its logical id.
    seconds
        How long the gateway remembers what it said of a credential.
    """

    function: str
    seconds: float


def gateway_responses(resolver: Resolver) -> dict[str, GatewayResponse]:
    """Read what the gateway answers by itself, by API Gateway's names."""
    responses = {}
    for _, resource in resolver.resources("AWS::Serverless::Api"):
        for kind, answer in resolver.resolve(resource["Properties"].get("GatewayResponses", {})).items():
            headers = answer.get("ResponseParameters", {}).get("Headers", {})
            responses[kind] = GatewayResponse(
                status=int(answer["StatusCode"]) if "StatusCode" in answer else None,
                headers={name: _literal(value) for name, value in headers.items()},
                template=answer.get("ResponseTemplates", {}).get("application/json"),
            )
    return responses


def authorizer(resolver: Resolver) -> AuthorizedBy | None:
    """Read which function says who calls."""
    for _, resource in resolver.resources("AWS::Serverless::Api"):
        auth = resource["Properties"].get("Auth", {})
        named = auth.get("Authorizers", {}).get(auth.get("DefaultAuthorizer"), {})
        if "FunctionArn" in named:
            # As SAM has it: {Ref: Name.Alias}.
            function = str(named["FunctionArn"]["Ref"]).partition(".")[0]
            return AuthorizedBy(function, float(named.get("Identity", {}).get("ReauthorizeEvery", 300)))
    return None


_CORS_HEADERS = {
    "AllowOrigin": "Access-Control-Allow-Origin",
    "AllowMethods": "Access-Control-Allow-Methods",
    "AllowHeaders": "Access-Control-Allow-Headers",
    "MaxAge": "Access-Control-Max-Age",
}


def preflight(resolver: Resolver) -> dict[str, str] | None:
    """Read what SAM makes a method OPTIONS of for every path."""
    for _, resource in resolver.resources("AWS::Serverless::Api"):
        if (cors := resolver.resolve(resource["Properties"].get("Cors"))) is not None:
            return {header: _literal(cors[name]) for name, header in _CORS_HEADERS.items() if name in cors}
    return None


def _literal(value: str) -> str:
    """Unwrap a header's value, which API Gateway wants in single quotes."""
    if len(value) < 2 or not value.startswith("'") or not value.endswith("'"):
        message = f"The gateway response's header value {value} is not in single quotes."
        raise TemplateError(message)
    return value[1:-1]
