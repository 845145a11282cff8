"""Logs and metrics: what happened and how long it took, never what was said."""

from __future__ import annotations

import os
import traceback
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Count", "Metric", "Metrics", "count", "logger", "metrics", "where"]


class Metric(StrEnum):
    """Every metric of the project by its name in CloudWatch."""

    REQUESTS = "Requests"
    FAULTS = "Faults"
    CACHE_HITS = "CacheHits"
    CACHE_COLLAPSED = "CacheCollapsed"  # of the hits, those that waited for another's call
    CACHE_MISSES = "CacheMisses"
    CACHE_BYPASSES = "CacheBypasses"  # by reason
    CACHE_ERRORS = "CacheErrors"  # by reason
    FOLDS = "Folds"  # of turns into a summary
    FOLDS_FAILED = "FoldsFailed"  # by reason
    FOLDS_STUCK = "FoldsStuck"  # of those that failed, the fifth in a row and on
    RESPONSES_NOT_STORED = "ResponsesNotStored"  # of calls without a conversation: their answers said so
    FACTS_REFUSED = "FactsRefused"  # of those that a model found, by reason
    TOKENS_SAVED = "TokensSaved"
    UPSTREAM_MS_SAVED = "UpstreamMillisecondsSaved"


class Count(Protocol):
    """Adds to a metric."""

    def __call__(self, metric: Metric, value: float = 1, *, reason: str = "") -> None:
        """Add ``value``; ``reason`` is one of few short words."""
        ...


@cache
def logger() -> Logger:
    """Make the environment's one logger; the level is Lambda's own (``AWS_LAMBDA_LOG_LEVEL``)."""
    return Logger(utc=True)


@cache
def metrics() -> Metrics:
    """Make the environment's one collector of metrics, written as CloudWatch's embedded metric format.

    Each has the dimensions ``service`` and ``stage``, so that the stages of one account do not add up.
    """
    collector = Metrics()
    collector.set_default_dimensions(**_stage())
    return collector


def count(metric: Metric, value: float = 1, *, reason: str = "") -> None:
    """Add to a metric; with a reason, which is a dimension of its own: see `Count`."""
    unit = MetricUnit.Milliseconds if metric is Metric.UPSTREAM_MS_SAVED else MetricUnit.Count
    if not reason:
        metrics().add_metric(metric, unit, value)
        return
    with single_metric(metric, unit, value, default_dimensions={"reason": reason, **_stage()}):
        pass  # written when the block ends


def _stage() -> dict[str, str]:
    return {"stage": os.environ.get("STAGE") or "local"}


def where(trace: TracebackType | None) -> list[str]:
    """Tell the places of a traceback, without values or messages: an error's text may quote a conversation."""
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
