"""The indexes under test stand beside the histories under test."""

from tests.contract.history_store.conftest import (
    anyio_backend,
    aws,
    boto,
    client,
    clock,
    definition,
    dynamo,
    endpoint,
    store,
    table,
)

__all__ = ["anyio_backend", "aws", "boto", "client", "clock", "definition", "dynamo", "endpoint", "store", "table"]
