"""An embedded Momento: an in-process server of Momento's cache protocol that the real SDK talks to unchanged."""

from __future__ import annotations

from .faults import Faults
from .metering import Meter, MeterSnapshot
from .server import EmbeddedMomento

__all__ = ["EmbeddedMomento", "Faults", "Meter", "MeterSnapshot"]
