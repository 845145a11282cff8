"""Whom the authorizer lets in, and in which words it tells the gateway."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["user", "app"]

_STAGE = re.compile(r"^(arn:[^:]+:execute-api:[^:]+:[^:]*:[^/]+/[^/]+)/.*$", re.DOTALL)


class NotAuthenticated(Exception):
    """The credential names nobody; which of its parts is wrong is nobody's business."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential speaks for.

    Parameters
    ----------
    kind
        ``user`` is one person; ``app`` serves many and names each in the header ``X-Omoide-User``.
    tenant
        The user, or the app.
    """

    kind: Kind
    tenant: str


def policy(caller: Caller, method_arn: str) -> dict[str, Any]:
    """Write API Gateway's answer of a Lambda authorizer.

    It allows every route of the stage: the gateway keeps the answer for each credential, whatever route came first.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

    Parameters
    ----------
    method_arn
        Of the request: ``arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}``.
    """
    stage = _STAGE.match(method_arn)
    return {
        "principalId": caller.tenant,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": f"{stage[1]}/*" if stage else method_arn,
                }
            ],
        },
        "context": {"kind": caller.kind, "tenant": caller.tenant},
    }
