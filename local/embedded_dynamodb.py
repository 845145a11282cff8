"""DynamoDB and its streams by moto's own handlers, without the way that moto's server takes to them.

For each request that server looks for the service by host and pattern, checks it against IAM, walks the API's model for
the parameters and again for the answer: four milliseconds, where a handler of moto's needs a tenth of one. What goes in
and comes out here is the same; `tests/contract/embedded_aws` compares the two.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
import uuid
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.core.serialize import get_serializer_class
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from werkzeug.exceptions import HTTPException

from local.embedded_aws_http import AwsAnswer

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from local.embedded_aws_http import AwsRequest

    Parser = Callable[[Any], Any] | None

_HANDLERS: Mapping[str, tuple[str, Any]] = {
    "DynamoDB_20120810": ("dynamodb", DynamoHandler),
    "DynamoDBStreams_20120810": ("dynamodbstreams", DynamoDBStreamsHandler),
}
# Of these the answer is plain JSON once its bytes are written in base64; the others' have times.
_OF_ITEMS = frozenset(
    (
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("TransactGetItems", "TransactWriteItems", "UpdateItem"),
    )
)
_AMZ_JSON = "application/x-amz-json-1.0"
_ACCOUNT = "x-moto-account-id"


def dynamodb_answer(request: AwsRequest) -> AwsAnswer | None:
    """Answer a call of DynamoDB's API; ``None`` where the request is another service's or out of the ordinary."""
    prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
    if prefix not in _HANDLERS or request.target != "/" or request.method != "POST":
        return None
    service, handler_class = _HANDLERS[prefix]
    method = _method(service, handler_class, operation)
    headers = request.headers
    if not method or headers.get("content-type") != _AMZ_JSON or headers.keys() & {"content-encoding", _ACCOUNT}:
        return None
    handler = handler_class()
    handler.region, access_key = _caller(headers.get("user-agent", ""), headers.get("authorization", ""))
    handler.current_account = _account(access_key)
    handler.headers = dict(headers)
    handler.uri_match = {}
    handler.automated_parameter_parsing = True
    handler.params = handler.body = _parameters(service, operation, request.body)
    try:
        result: ActionResult = getattr(handler, method)()
    except HTTPException as error:
        return _answer(error.code or 500, dict(error.get_headers()), error.description or "")
    except ServiceException as error:
        return _serialized(service, operation, ActionResult(error), handler)
    if operation in _OF_ITEMS:
        return _answer(200, {"Content-Type": _AMZ_JSON}, _written(service, operation, result.result))
    return _serialized(service, operation, result, handler)


@lru_cache(256)
def _method(service: str, handler: Any, operation: str) -> str:
    """Return the name of the handler's method for an operation of the API, or nothing."""
    name: str = camelcase_to_underscores(operation)
    known = operation in get_service_model(service).operation_names
    return name if known and callable(getattr(handler, name, None)) else ""


@lru_cache(64)
def _region(user_agent: str, scope: str) -> str:
    """Return the region as moto finds it: in the client's name, or in the scope of the signature."""
    named = BaseResponse.region_from_useragent_regex.search(user_agent)
    if named:
        return str(named["region"])
    return scope.split("/")[2] if "AWS4" in scope else BaseResponse.default_region


def _caller(user_agent: str, authorization: str) -> tuple[str, str]:
    scope = authorization.partition(",")[0]
    return _region(user_agent, scope), _access_key(scope)


@lru_cache(64)
def _access_key(scope: str) -> str:
    found: re.Match[str] | None = BaseResponse.access_key_regex.search(scope)
    return found["access_key"] if found else ""


def _account(access_key: str) -> str:
    """Return whose the key is. Keys are IAM's, which takes long to import: before it is, there are none."""
    if "MOTO_ACCOUNT_ID" in os.environ:
        return os.environ["MOTO_ACCOUNT_ID"]
    iam = sys.modules.get("moto.iam.models")
    return iam.get_account_id_from(access_key) if iam and access_key else DEFAULT_ACCOUNT_ID


# ---- parameters


def _parameters(service: str, operation: str, body: bytes) -> Any:
    """Return a body's parameters as moto's own parser does: bytes decoded, what the API does not know left out."""
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        given = {}
    parse = _parser_of(service, operation)
    return parse(given) if parse else given


@cache
def _parser_of(service: str, operation: str) -> Parser:
    shape = get_service_model(service).operation_model(operation).input_shape
    return None if shape is None else _parser(shape, {})


def _parser(shape: Any, made: dict[str, Any]) -> Parser:
    """Make the parser of a shape's values; ``None``: they stay as they are. ``made`` ends the model's circles."""
    kind = shape.type_name
    if kind in _SCALARS:
        return _SCALARS[kind]
    if shape.name in made:
        return made[shape.name] or _later(made, shape.name)
    made[shape.name] = None
    if kind == "structure":
        made[shape.name] = _structure({name: _parser(member, made) for name, member in shape.members.items()})
    elif kind == "list":
        made[shape.name] = _list(_parser(shape.member, made))
    elif kind == "map":
        made[shape.name] = _map(_parser(shape.value, made))
    parser: Parser = made[shape.name]
    return parser


def _later(made: Mapping[str, Any], name: str) -> Parser:
    def parse(value: Any) -> Any:
        return made[name](value)

    return parse


_SCALARS: Mapping[str, Parser] = {
    "string": None,
    "boolean": None,
    "blob": base64.b64decode,
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
}


def _structure(members: Mapping[str, Parser]) -> Parser:
    def parse(value: Any) -> Any:
        if value is None:
            return None
        if len(value) == 1:  # most are: a value with its type
            [(name, each)] = value.items()
            found = [name] if name in members else []
        else:
            found = [name for name in members if name in value]
        parsed = {}
        for name in found:
            each = value[name]
            if each is not None:
                read = members[name]
                parsed[name] = read(each) if read else each
        return parsed

    return parse


def _list(read: Parser) -> Parser:
    return (lambda value: [read(each) for each in value]) if read else list


def _map(read: Parser) -> Parser:
    return (lambda value: {name: read(each) for name, each in value.items()}) if read else dict


# ---- answers


def _serialized(service: str, operation: str, result: ActionResult, handler: BaseResponse) -> AwsAnswer:
    """Answer as moto's own serializer writes it."""
    model = get_service_model(service)
    serializer = get_serializer_class(model.service_name, "json")
    status, headers, body = result.execute_result(
        ActionContext(model, model.operation_model(operation), serializer, handler)
    )
    return _answer(status, headers, body)


def _written(service: str, operation: str, result: Any) -> str:
    """Write a result's members that the API knows."""
    members = _members(service, operation)
    known = {name: value for name, value in result.items() if name in members and value is not None}
    return json.dumps(known, default=_base64)


@cache
def _members(service: str, operation: str) -> frozenset[str]:
    return frozenset(get_service_model(service).operation_model(operation).output_shape.members)


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _answer(status: int, headers: dict[str, Any], body: str | bytes) -> AwsAnswer:
    """Make the answer as DynamoDB does, with the checksum that AWS's clients compare."""
    content = body.encode() if isinstance(body, str) else body
    headers["x-amzn-RequestId"] = uuid.uuid4().hex.upper()
    headers["x-amz-crc32"] = binascii.crc32(content)
    return AwsAnswer(status, headers, content)
