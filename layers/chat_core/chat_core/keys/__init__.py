"""Every key and id of the project: of the cache's values, of the table's rows, and the ids that tell a place."""

from chat_core.keys.cached import SCHEMA, batch_key, embedding_key, lease_key, response_key, scope_tag
from chat_core.keys.canonical import STREAM_MEMBERS, Endpoint, Uncacheable
from chat_core.keys.ids import (
    is_conversation_id,
    is_generated_id,
    item_id,
    item_prefix,
    new_conversation_id,
    new_incarnation,
    parse_item_id,
)
from chat_core.keys.space import KeySpace
from chat_core.keys.stored import (
    DUE,
    DUE_OWNER,
    HEAD,
    MEMORY,
    RECALL,
    Address,
    api_key_partition_key,
    history_list_key,
    idempotency_partition_key,
    item_sort_key,
    memory_key,
    part_sort_key,
    partition_key,
    recall_sort_key,
)

__all__ = [
    "DUE",
    "DUE_OWNER",
    "HEAD",
    "MEMORY",
    "RECALL",
    "SCHEMA",
    "STREAM_MEMBERS",
    "Address",
    "Endpoint",
    "KeySpace",
    "Uncacheable",
    "api_key_partition_key",
    "batch_key",
    "embedding_key",
    "history_list_key",
    "idempotency_partition_key",
    "is_conversation_id",
    "is_generated_id",
    "item_id",
    "item_prefix",
    "item_sort_key",
    "lease_key",
    "memory_key",
    "new_conversation_id",
    "new_incarnation",
    "parse_item_id",
    "part_sort_key",
    "partition_key",
    "recall_sort_key",
    "response_key",
    "scope_tag",
]
