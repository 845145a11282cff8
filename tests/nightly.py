"""Whether this run takes its time: each night more examples, and others, than at a change."""

from __future__ import annotations

import os

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
