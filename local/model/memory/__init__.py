"""What the stand-in answers when it is asked for notes or facts: taken from what was said, by small patterns."""

from local.model.memory.facts import facts_of
from local.model.memory.summary import summary_of

__all__ = ["facts_of", "summary_of"]
