"""``python -m tests.conformance FILE``."""

from __future__ import annotations

import sys
from pathlib import Path

# pytest has the path from pyproject.toml
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "chat_core"))

if __name__ == "__main__":
    from tests.conformance.command import main

    sys.exit(main())
