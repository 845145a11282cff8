"""The edge that all functions share: who calls, what they ask, and what an answer looks like outside."""

from chat_core.api.answers import event_stream, json_response, to_json
from chat_core.api.body import fingerprint, json_body, json_body_or_empty, parse_json
from chat_core.api.checks import (
    ITEMS_LIMIT,
    check_conversation_id,
    check_items,
    check_metadata,
    parse,
)
from chat_core.api.claims import current_user
from chat_core.api.errors import STATUSES, error_response
from chat_core.api.headers import header, idempotency_key, retry_count
from chat_core.api.lambda_entry import answer, build_app, parameterless, stream
from chat_core.api.live import answer_in_form
from chat_core.api.references import check_provider_references, check_unsendable

__all__ = [
    "ITEMS_LIMIT",
    "STATUSES",
    "answer",
    "answer_in_form",
    "build_app",
    "check_conversation_id",
    "check_items",
    "check_metadata",
    "check_provider_references",
    "check_unsendable",
    "current_user",
    "error_response",
    "event_stream",
    "fingerprint",
    "header",
    "idempotency_key",
    "json_body",
    "json_body_or_empty",
    "json_response",
    "parameterless",
    "parse",
    "parse_json",
    "retry_count",
    "stream",
    "to_json",
]
