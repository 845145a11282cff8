"""What may stand beside any policy: what long-term memory adds to its view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from chat_core.errors import InvalidRequest
from chat_core.memory.fields import MAX_TOKENS, Choice, Field, Flag, Integer, Number, names, refused

if TYPE_CHECKING:
    from collections.abc import Callable

Scope = Literal["conversation", "user"]

MAX_HITS = 32
MAX_NEIGHBOURS = 8
DAY = 86_400
MAX_SECONDS = 3_650 * DAY

_SCOPE = Choice(("conversation", "user"), default="conversation")


@dataclass(frozen=True, slots=True)
class RecallSettings:
    """``recall``: earlier turns that the input brings up.

    Parameters
    ----------
    k
        Most of them.
    min_score
        What the best must reach to be shown at all; None: what the embedding model's scale asks for.
    relative
        Share of the best one's score that the others must reach.
    max_tokens
        Of all of them together.
    neighbours
        How many turns before and after each may fill what is left of ``max_tokens``.
    scope
        ``user``: those of the user's other conversations, too, as far as their own settings say so.
    expires_after
        Seconds after which a turn is not recalled any more; None: never.
    refresh_after
        Seconds after which a turn is embedded anew.
    """

    k: int = 4
    min_score: float | None = None
    relative: float = 0.5
    max_tokens: int = 512
    neighbours: int = 0
    scope: Scope = "conversation"
    expires_after: int | None = None
    refresh_after: int = 30 * DAY


@dataclass(frozen=True, slots=True)
class FactSettings:
    """``entities`` and ``knowledge_graph``: what is known of the user and of the subjects at hand.

    Parameters
    ----------
    scope
        ``user``: what was said in the user's other conversations, too, as far as their own settings say so.
    max_tokens
        Of all facts together.
    depth
        How many steps facts are followed from those at hand, by a subject or an object that they share.
    include_assistant
        Whether what the assistant said is taken for a fact, too.
    """

    scope: Scope = "conversation"
    max_tokens: int = 300
    depth: int = 0
    include_assistant: bool = False


@dataclass(frozen=True, slots=True)
class AddOns:
    """The add-ons of a conversation or a turn; None: it has not got that one."""

    entities: FactSettings | None = None
    knowledge_graph: FactSettings | None = None
    recall: RecallSettings | None = None

    @property
    def joins_facts(self) -> bool:
        """Whether what is known of the user in other conversations is wanted, too."""
        return any(one is not None and one.scope == "user" for one in (self.entities, self.knowledge_graph))

    @property
    def joins(self) -> bool:
        """Whether the user's conversations are joined by any of them."""
        return self.joins_facts or (self.recall is not None and self.recall.scope == "user")


NO_ADD_ONS = AddOns()


def _fact_fields(*, depth: int) -> Mapping[str, Field]:
    return {
        "scope": _SCOPE,
        "max_tokens": Integer(1, MAX_TOKENS, default=300),
        "depth": Integer(0, 2, default=depth),
        "include_assistant": Flag(),
    }


_RECALL_FIELDS: Mapping[str, Field] = {
    "k": Integer(1, MAX_HITS, default=4),
    "min_score": Number(0.0, 1.0),
    "relative": Number(0.0, 1.0, default=0.5),
    "max_tokens": Integer(1, MAX_TOKENS, default=512),
    "neighbours": Integer(0, MAX_NEIGHBOURS, default=0),
    "scope": _SCOPE,
    "expires_after": Integer(1, MAX_SECONDS),
    "refresh_after": Integer(1, MAX_SECONDS, default=30 * DAY),
}
_MADE_OF: Mapping[str, tuple[Mapping[str, Field], Callable[..., Any]]] = {
    "entities": (_fact_fields(depth=0), FactSettings),
    "knowledge_graph": (_fact_fields(depth=1), FactSettings),
    "recall": (_RECALL_FIELDS, RecallSettings),
}
ADD_ONS = tuple(_MADE_OF)
"""Their names in the request object ``memory``."""


def parse_add_ons(settings: Mapping[str, Any]) -> AddOns:
    """Read the add-ons of complete settings.

    Raises
    ------
    InvalidRequest
        Naming the field (``memory.recall.k``) and what is allowed.
    """
    found = NO_ADD_ONS
    for name, (fields, make) in _MADE_OF.items():
        given = switched(settings.get(name), name)
        if given is not None:
            found = replace(found, **{name: make(**_values(name, fields, given))})
    return found


def own_add_ons(settings: Mapping[str, Any]) -> AddOns:
    """Read the add-ons that a conversation's own stored settings have, whatever the default is.

    By them alone conversations are joined: what an operator sets for all is nobody's own word.
    """
    try:
        return parse_add_ons(settings)
    except InvalidRequest:  # of an earlier version
        return NO_ADD_ONS


def switched(given: Any, name: str) -> Mapping[str, Any] | None:
    """Read what may be an object or a switch; None: it is off.

    Raises
    ------
    InvalidRequest
        If it is neither.
    """
    if given is None or given is False:
        return None
    if given is True:
        return {}
    if not isinstance(given, Mapping):
        raise refused(name, "must be an object, true or false")
    return given


def _values(name: str, fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = next((f"{name}.{field}" for field in given if field not in fields), None)
    if unknown is not None:
        raise refused(unknown, f"is unknown: `{name}` has {names(tuple(fields))}")
    return {
        field: one.default if given.get(field) is None else one.read(given[field], f"{name}.{field}")
        for field, one in fields.items()
    }
