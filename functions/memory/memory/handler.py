"""What the table's stream and a schedule start: the work that there is for long-term memory."""

from __future__ import annotations

import asyncio
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from chat_core.api import event_loop
from chat_core.deadline import Deadline
from chat_core.errors import ChatError
from chat_core.keys import Address
from chat_core.long_term import MISSED_SECONDS, Waiting
from chat_core.observability import Metric, count, logger, metrics, where
from chat_core.runtime import import_ahead
from chat_core.settings import MemorySettings
from memory.wiring import MemoryParts, make_memory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from chat_core.long_term.folding import MemoryWorker

MISSED_AT_ONCE = 50
AT_ONCE = 10

import_ahead(os.environ, "botocore.session", "momento", "httpx2")


@cache
def parts() -> MemoryParts:
    """Make this environment's parts."""
    return make_memory(MemorySettings.from_env(os.environ))


@metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Do the work that stream records tell of, or, started by the schedule, the work that waits for too long.

    Returns
    -------
    dict
        Which records are to be delivered again: those whose work a store of our own stood in the way of.
    """
    deadline = Deadline.of(context)
    count(Metric.FOLDS, 0)  # an invocation that finds nothing to do is no reason for a warning
    if "Records" not in event:
        event_loop.run(_missed(parts().worker, deadline))
        return {}
    addresses = {address for record in event["Records"] if (address := _address(record["dynamodb"]["Keys"]))}
    works = [Waiting(address, "due") for address in addresses]
    failed = event_loop.run(_worked(parts().worker, works, deadline))

    def tell(record: DynamoDBRecord) -> None:
        if _address(record.raw_event["dynamodb"]["Keys"]) in failed:
            # Powertools logs it: what went wrong stands in the log already, without words of the conversation.
            raise ChatError("The work failed.")

    # The folds are done, side by side; what is left is which records failed.
    processor = BatchProcessor(EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=tell, processor=processor, context=context)


async def _missed(worker: MemoryWorker, deadline: Deadline) -> None:
    before = time.time() - MISSED_SECONDS
    await _worked(worker, await worker.waiting(before=before, limit=MISSED_AT_ONCE), deadline)


async def _worked(worker: MemoryWorker, waiting: Collection[Waiting], deadline: Deadline) -> set[Address | None]:
    """Work on conversations, several at once, and tell which failed for a fault of our own."""
    free = asyncio.Semaphore(AT_ONCE)
    failed: set[Address | None] = set()

    async def work(one: Waiting) -> None:
        async with free:
            try:
                end = await worker.work(one.address, deadline, kind=one.kind)
            except Exception as error:  # one conversation's fault is not the others'
                logger().error("memory_failed", error=type(error).__name__, at=where(error.__traceback__))
                failed.add(one.address)
            else:
                logger().info("memory", end=end)

    await asyncio.gather(*map(work, waiting))
    return failed


def _address(keys: Mapping[str, Any]) -> Address | None:
    """Read whose conversation a row is of; None if it is none's."""
    user, _, conversation = str(keys.get("pk", {}).get("S", "")).rpartition("/")
    try:
        return Address(user, conversation)
    except ValueError:
        return None
