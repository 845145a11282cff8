"""What a turn is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.cache import ModelCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache import Directives
    from chat_core.keys import Address
    from chat_core.messages import Item
    from chat_core.turns.once import Keyed


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A checked request for a turn.

    Parameters
    ----------
    address
        Of the conversation.
    body
        What goes to the model, without the input.
    input
        The caller's items.
    memory
        The request's own memory settings, or None.
    directives
        Of the response cache.
    fingerprint
        SHA-256 of the request's body, hex.
    keyed
        The caller's idempotency key with it, or None.
    retry_count
        How often the caller's SDK says that it sent this request before.
    previous
        The response that it goes on from; None for a turn of the conversation that ``address`` names.
    store
        Whether the caller may read the answer later; the turn is in the history in any case.
    """

    address: Address
    body: Mapping[str, Any]
    input: tuple[Item, ...]
    memory: Mapping[str, Any] | None
    directives: Directives
    fingerprint: str
    keyed: Keyed | None = None
    retry_count: int = 0
    previous: str | None = None
    store: bool = True

    @property
    def is_dry_run(self) -> bool:
        """Whether it is answered with its context, and no model is asked."""
        return bool((self.memory or {}).get("dry_run"))

    @property
    def leaves_no_trace(self) -> bool:
        """Whether it only reads the memory."""
        return self.is_dry_run or bool((self.memory or {}).get("read_only"))

    def call(self, view: list[Item], *, personal: bool = False) -> ModelCall:
        """Make the model's call of the view that the turn has of its conversation.

        Parameters
        ----------
        personal
            Whether the view holds what is remembered of the user.
        """
        bypass = "personal-memory" if personal else ""
        return ModelCall(self.address.user, {**self.body, "input": view}, self.directives, bypass=bypass)
