"""Vendors' packages, imported before they are first called where nobody waits for it.

An environment that starts on demand has its first request waiting: there each is imported when it is called. Lambda
makes a SnapStart snapshot, or an environment of provisioned concurrency, before anybody asks.
"""

from __future__ import annotations

from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_AHEAD = frozenset({"snap-start", "provisioned-concurrency"})


def import_ahead(environment: Mapping[str, str], *modules: str) -> None:
    """Import modules now, if this environment is made ahead of its requests. Nothing connects by that.

    Parameters
    ----------
    environment
        Lambda's variables: ``AWS_LAMBDA_INITIALIZATION_TYPE`` tells.
    """
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") in _AHEAD:
        for module in modules:
            import_module(module)


def import_beside(module: str) -> None:
    """Begin to import a module, while the first request waits for something else."""
    Thread(target=import_module, args=(module,), daemon=True).start()
