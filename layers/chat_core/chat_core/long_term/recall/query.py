"""What is looked for: the user's last message, and a little of the one before it."""

from __future__ import annotations

from chat_core.long_term.recall.terms import terms

PREVIOUS = 0.25
"""Share of the message before: a full one drowns a new question, none loses "and when was that?"."""

FEW_TERMS = 3
"""A message of fewer words cannot stand alone: then the one before counts in full."""


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
    newest = terms(last)
    share = previous_share(len(newest))
    return dict.fromkeys(terms(previous), share) | dict.fromkeys(newest, 1.0)


def previous_share(terms_of_last: int) -> float:
    """Tell how much the message before counts."""
    return 1.0 if terms_of_last < FEW_TERMS else PREVIOUS
