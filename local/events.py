"""Builds the event that API Gateway's REST APIs hand to a function (Lambda proxy integration).

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.messages import HttpRequest
    from local.routing import Match

STAGE = "local"
LOCAL_USER = "local"
# The local stand-in for signing in. It never reaches a handler; the name does, in the claims.
USER_HEADER = "x-local-user"
# They belong to one connection; API Gateway keeps them to itself.
_CONNECTION_HEADERS = frozenset(
    ("connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
_BINARY_TYPES = ("application/gzip", "application/octet-stream", "application/zip", "audio/", "image/", "video/")
_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def proxy_event(request: HttpRequest, match: Match, *, request_id: str, trace_id: str, now: float) -> dict[str, Any]:
    """Build the event of a request.

    Paths and path parameters stay percent-encoded, query parameters are decoded: as API Gateway does.

    Parameters
    ----------
    request
        As it came.
    match
        Its route.
    request_id
        API Gateway's own.
    trace_id
        Of the header ``X-Amzn-Trace-Id``, unless the request has one.
    now
        Seconds since the epoch.
    """
    headers = _headers(request, trace_id)
    query = _by_name(parse_qsl(request.query, keep_blank_values=True))
    text, is_base64 = _body(request)
    return {
        "resource": match.route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(match.path_parameters) or None,
        "stageVariables": None,
        "requestContext": _context(request, match, request_id, now),
        "body": text,
        "isBase64Encoded": is_base64,
    }


def authorizer_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Build the event that a Lambda authorizer of the type REQUEST gets, of that which the function would get.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    """
    context = {name: value for name, value in event["requestContext"].items() if name != "authorizer"}
    asked = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    return {**asked, "type": "REQUEST", "methodArn": method_arn(event), "requestContext": context}


def method_arn(event: Mapping[str, Any]) -> str:
    """Name the method of a request as policies do."""
    context = event["requestContext"]
    api = f"arn:aws:execute-api:us-east-1:{context['accountId']}:{context['apiId']}"
    return f"{api}/{context['stage']}/{event['httpMethod']}{event['path']}"


def header(request: HttpRequest, name: str) -> str | None:
    """Return a header's last value by its name in lower case."""
    return next((value for found, value in reversed(request.headers) if found.lower() == name), None)


def _headers(request: HttpRequest, trace_id: str) -> dict[str, list[str]]:
    hidden = _CONNECTION_HEADERS | {USER_HEADER}
    pairs = [pair for pair in request.headers if pair[0].lower() not in hidden]
    pairs += [("X-Forwarded-For", request.source_ip), ("X-Forwarded-Proto", "http")]
    if header(request, "x-amzn-trace-id") is None:
        pairs.append(("X-Amzn-Trace-Id", trace_id))
    writings: dict[str, str] = {}  # names that differ in case alone come under the first one's writing
    return _by_name((writings.setdefault(name.lower(), name), value) for name, value in pairs)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered


def _last(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: several[-1] for name, several in values.items()}


def caller(request: HttpRequest) -> str:
    """Tell who asks: whom the header names, else the local user."""
    name = header(request, USER_HEADER)
    # http.server reads headers as ISO 8859-1; a name typed in a terminal is UTF-8.
    return name.encode("latin-1").decode("utf-8", "replace") if name else LOCAL_USER


def _claims(request: HttpRequest) -> dict[str, str]:
    user = caller(request)
    return {"sub": user, "cognito:username": user, "token_use": "id"}


def _body(request: HttpRequest) -> tuple[str | None, bool]:
    """Return the body as the event has it, and whether that is base64: of what is binary, by its headers or itself."""
    if not request.body:
        return None, False
    coding = header(request, "content-encoding") or "identity"
    kind = (header(request, "content-type") or "").lower()
    if coding.lower() == "identity" and not kind.startswith(_BINARY_TYPES):
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode("ascii"), True


def _context(request: HttpRequest, match: Match, request_id: str, now: float) -> dict[str, Any]:
    host = header(request, "host") or "127.0.0.1"
    moment = datetime.fromtimestamp(now, UTC)
    return {
        "accountId": "123456789012",
        "apiId": "local",
        **({"authorizer": {"claims": _claims(request)}} if match.route.authorized else {}),
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {
            **dict.fromkeys(_IDENTITY),
            "sourceIp": request.source_ip,
            "userAgent": header(request, "user-agent"),
        },
        "path": f"/{STAGE}{request.path}",
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": "local",
        "resourcePath": match.route.resource,
        "stage": STAGE,
    }
