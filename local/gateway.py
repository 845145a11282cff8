"""API Gateway and Lambda's front as a REST API has them: routes, limits, and their own answers to what goes wrong."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.authorizer import Refused
from local.cors import for_page, preflight_answer, without_page
from local.events import proxy_event
from local.invocation import FunctionFailed, IntegrationTimeout, Refusal, whole
from local.messages import HttpResponse, StreamBroken, StreamedResponse
from local.proxy_answer import PRELUDE_END, MalformedAnswer, http_response, streamed_head
from local.rest_api import GatewayResponse
from local.routing import Router

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.application import Application
    from local.authorizer import Authorizer
    from local.invocation import Integration, Invoked
    from local.messages import HttpRequest
    from local.routing import Match

MAX_BODY_BYTES = 10 * 1024 * 1024
# Where Lambda answers InvokeFunction with RequestEntityTooLargeException.
MAX_EVENT_BYTES = 6 * 1024 * 1024
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
INTEGRATION_TIMEOUT_SECONDS = 29.0
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html, of a Regional API.
STREAM_IDLE_SECONDS = 300.0
STREAM_SECONDS = 900.0

_NO_RESPONSE = GatewayResponse(status=None, headers={}, template=None)
_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'


_NO_ROUTE = Refusal("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
_TOO_LARGE = Refusal("REQUEST_TOO_LARGE", 413, "Request Too Long")
_TIMED_OUT = Refusal("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
_FAILED = Refusal("DEFAULT_5XX", 502, "Internal server error")
_BAD_REQUEST = Refusal("DEFAULT_4XX", 400, "Bad Request")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an answer may take, waiting for a free environment included; in seconds.

    Parameters
    ----------
    whole
        For an answer that is handed on whole.
    idle, streamed
        For an answer that is handed on as it comes: until its beginning and between its pieces, and in all.
    """

    whole: float = INTEGRATION_TIMEOUT_SECONDS
    idle: float = STREAM_IDLE_SECONDS
    streamed: float = STREAM_SECONDS


class Gateway:
    """Answers requests through the functions behind the routes.

    Parameters
    ----------
    application
        The template.
    integrations
        The functions by their logical ids.
    limits
        How long an answer may take.
    origins
        Of web pages that may read the gateway's own answers: see `local.cors`.
    authorizer
        Says who calls; None: whom the request names, as `local.events.caller` has it.
    """

    def __init__(
        self,
        application: Application,
        integrations: Mapping[str, Integration],
        *,
        limits: Limits | None = None,
        origins: frozenset[str] = frozenset(),
        authorizer: Authorizer | None = None,
    ) -> None:
        self._authorizer = authorizer
        self._origins = origins
        self._router = Router(application.routes)
        self._responses = application.gateway_responses
        self._preflight = application.preflight
        self._integrations = integrations
        self._limits = limits or Limits()

    def answer(self, request: HttpRequest) -> HttpResponse | StreamedResponse:
        """Answer a request. It never raises for what a client or a function does."""
        return for_page(self._answer(request), request, self._origins)

    def _answer(self, request: HttpRequest) -> HttpResponse | StreamedResponse:
        request_id = str(uuid.uuid4())
        if len(request.body) > MAX_BODY_BYTES:
            return self._refuse(_TOO_LARGE, request_id)
        match = self._router.match(request.method, request.path)
        if match is None:
            return self._refuse(_NO_ROUTE, request_id)
        if request.method == "OPTIONS" and self._preflight is not None:
            return preflight_answer(self._preflight)
        return self._of_function(request, match, request_id)

    def _of_function(self, request: HttpRequest, match: Match, request_id: str) -> HttpResponse | StreamedResponse:
        now = time.time()
        trace_id = f"Root=1-{int(now):08x}-{secrets.token_hex(12)}"
        event = proxy_event(request, match, request_id=request_id, trace_id=trace_id, now=now)
        if match.route.authorized and self._authorizer is not None:
            try:
                event["requestContext"]["authorizer"] = self._authorizer.context(event, trace_id=trace_id)
            except Refused as refused:
                return self._refuse(refused.refusal, request_id)
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        if len(payload) > MAX_EVENT_BYTES:
            return self._refuse(_TOO_LARGE, request_id)
        function = match.route.function
        invoked = self._integrations[function].invoke(payload, trace_id=trace_id)
        response: HttpResponse | StreamedResponse
        try:
            if match.route.streams:
                response = self._streamed(invoked)
            else:
                response = http_response(whole(invoked, self._limits.whole))
        except IntegrationTimeout:
            return self._refuse(_TIMED_OUT, request_id)
        except (FunctionFailed, MalformedAnswer) as failure:
            print(f"{function}: {failure}", flush=True)
            return self._refuse(_FAILED, request_id)
        return replace(response, headers=(*response.headers, ("x-amzn-RequestId", request_id)))

    def _streamed(self, invoked: Invoked) -> StreamedResponse:
        """Wait for the status and headers; the body comes as it is asked for."""
        deadline = time.monotonic() + self._limits.streamed
        begin = b""
        while PRELUDE_END not in begin:
            piece = invoked.piece(self._limits.idle)
            if piece is None:
                raise MalformedAnswer("it ends before its body begins")
            begin += piece
        prelude, _, first = begin.partition(PRELUDE_END)
        status, headers = streamed_head(prelude)
        return StreamedResponse(status, headers, self._pieces(invoked, first, deadline))

    def _pieces(self, invoked: Invoked, piece: bytes | None, deadline: float) -> Iterator[bytes]:
        try:
            while piece is not None:
                if piece:
                    yield piece
                piece = invoked.piece(min(self._limits.idle, deadline - time.monotonic()))
        except FunctionFailed as failure:
            raise StreamBroken(str(failure)) from None
        except IntegrationTimeout:
            raise StreamBroken("the gateway does not wait for it any longer") from None

    def bad_request(self, status: int) -> HttpResponse:
        """Answer what is not HTTP as the server takes it.

        Parameters
        ----------
        status
            400 to 499; 501 for a method that nobody knows, which is an undefined route.
        """
        refusal = _NO_ROUTE if status == 501 else replace(_BAD_REQUEST, status=status)
        return without_page(self._refuse(refusal, str(uuid.uuid4())))

    def _refuse(self, refusal: Refusal, request_id: str) -> HttpResponse:
        """Answer with the template's gateway response for this kind, its default for the status, or API Gateway's."""
        default = "DEFAULT_4XX" if refusal.status < 500 else "DEFAULT_5XX"
        response = self._responses.get(refusal.kind) or self._responses.get(default) or _NO_RESPONSE
        values = {
            "$context.error.messageString": json.dumps(refusal.message),
            "$context.error.message": refusal.message,
            "$context.error.responseType": refusal.kind,
            "$context.requestId": request_id,
        }
        body = response.template or _DEFAULT_TEMPLATE
        for variable, value in values.items():
            body = body.replace(variable, value)
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id, **response.headers}
        return HttpResponse(response.status or refusal.status, tuple(headers.items()), body.encode("utf-8"))
