"""What is looked for: the user's last message, and a little of the one before it."""

from __future__ import annotations

from chat_core.long_term.recall.common import common_terms
from chat_core.long_term.recall.terms import terms

PREVIOUS = 0.25
"""Share of the message before: a full one drowns a new question, none loses "and when was that?"."""

COMMON = 0.25
"""Weight of a word that says little of what is asked."""

FEW_TERMS = 1
"""A message with fewer words that say more cannot stand alone: then the one before counts in full."""


def weighted(last: str, previous: str = "") -> dict[int, float]:
    """Weigh the words of a query.

    Parameters
    ----------
    last
        The user's message.
    previous
        The user's message before it; empty when there is none.

    Returns
    -------
    dict
        Weights by term.
    """
    share = PREVIOUS if stands_alone(last) else 1.0
    weights = dict.fromkeys(terms(previous), share) | dict.fromkeys(terms(last), 1.0)
    common = common_terms()
    return {term: weight * COMMON if term in common else weight for term, weight in weights.items()}


def stands_alone(text: str) -> bool:
    """Whether a message says what it is about."""
    return len(terms(text) - common_terms()) >= FEW_TERMS
