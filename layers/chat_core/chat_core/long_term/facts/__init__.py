"""What was said about somebody or something, as dated assertions with their evidence; pure.

An assertion is never changed. What is current, ended or forgotten is computed when it is read, by the time of the
evidence and not of its arrival, so that folds in any order give the same facts.
"""

from chat_core.long_term.facts.records import Assertion, Evidence, Fact, Tombstone, folded
from chat_core.long_term.facts.resolve import resolved

__all__ = [
    "Assertion",
    "Evidence",
    "Fact",
    "Tombstone",
    "folded",
    "resolved",
]
