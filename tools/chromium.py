"""The Chromium of this machine."""

from __future__ import annotations

import os
import shutil


def find_chromium() -> str | None:
    """Find its program; the variable CHROMIUM names one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
