"""Logs and metrics: what happened and how long it took, never what was said."""

from __future__ import annotations

import traceback
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Metrics", "logger", "metrics", "where"]


@cache
def logger() -> Logger:
    """Make the environment's one logger; the level is Lambda's own (``AWS_LAMBDA_LOG_LEVEL``)."""
    return Logger(utc=True)


@cache
def metrics() -> Metrics:
    """Make the environment's one collector of metrics, written as CloudWatch's embedded metric format."""
    return Metrics()


def where(trace: TracebackType | None) -> list[str]:
    """Tell the places of a traceback, without values or messages: an error's text may quote a conversation."""
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
