"""Time for the services of tests whose clients and servers share a process, where it is not Momento that is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SECONDS = 5.0
"""That a cache, an embedding or a write may take, which in Lambda have a fraction of one."""

VARIABLES = dict.fromkeys(("CACHE_TIMEOUT_MS", "STORE_TIMEOUT_MS"), f"{SECONDS * 1000:.0f}")
"""What says so to an environment."""


def be_patient(patch: pytest.MonkeyPatch) -> None:
    """Give them this time in this process."""
    from chat_core.hot import copies
    from chat_core.long_term import question, recaller

    for name in ("READ_TIMEOUT", "WRITE_TIMEOUT", "REWRITE_TIMEOUT"):
        patch.setattr(copies, name, SECONDS)
    patch.setattr(question, "EMBED_SECONDS", SECONDS)
    patch.setattr(recaller, "SEARCH_SECONDS", SECONDS)
