"""The fields of a policy's settings: what they may be, and what a caller is told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chat_core.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.memory.policy import MemoryPolicy

MAX_MESSAGES = 10_000
MAX_TURNS = 10_000
MAX_TOKENS = 2_000_000
MAX_TEXT = 1_000


class Field(Protocol):
    """A field: its default, and how it is read."""

    @property
    def default(self) -> Any:
        """What holds when the field is absent."""
        ...

    def read(self, value: Any, name: str) -> Any:
        """Check a value.

        Raises
        ------
        InvalidRequest
            Naming the field and what is allowed.
        """
        ...


class PolicySpec(NamedTuple):
    """A policy as the registry knows it.

    Parameters
    ----------
    name
        As in the request object ``memory``.
    fields
        By name.
    build
        Makes the policy of the values of all fields, defaults included, and checks how they go together.
    add_to
        Adds it to a window: then it is also a member of every window's settings, under its name.
    """

    name: str
    fields: Mapping[str, Field]
    build: Callable[[Mapping[str, Any]], MemoryPolicy]
    add_to: Callable[[Mapping[str, Any], Any], MemoryPolicy] | None = None


class Integer(NamedTuple):
    """A JSON integer in an inclusive range; neither a boolean nor a number with a fraction part, be it ``.0``."""

    least: int
    most: int
    default: int | None = None

    def read(self, value: Any, name: str) -> int:
        """Check a value."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise refused(name, f"must be an integer from {self.least} to {self.most}")
        return value


class Number(NamedTuple):
    """A finite JSON number in an inclusive range, with or without a fraction part."""

    least: float
    most: float
    default: float | None = None

    def read(self, value: Any, name: str) -> float:
        """Check a value."""
        if type(value) not in (int, float) or not self.least <= value <= self.most:
            raise refused(name, f"must be a number from {self.least:g} to {self.most:g}")
        return float(value)


class Flag(NamedTuple):
    """A JSON boolean."""

    default: bool = False

    def read(self, value: Any, name: str) -> bool:
        """Check a value."""
        if not isinstance(value, bool):
            raise refused(name, "must be true or false")
        return value


class Choice(NamedTuple):
    """One of a few words."""

    options: tuple[str, ...]
    default: str

    def read(self, value: Any, name: str) -> str:
        """Check a value."""
        if not isinstance(value, str) or value not in self.options:
            raise refused(name, f"must be one of {names(self.options)}")
        return value


class Just(NamedTuple):
    """A boolean that says what is so anyway."""

    value: bool
    default: None = None

    def read(self, value: Any, name: str) -> bool:
        """Check a value."""
        if value is not self.value:
            raise refused(name, f"can only be {str(self.value).lower()}")
        return bool(value)


class Text(NamedTuple):
    """A short text."""

    default: str

    def read(self, value: Any, name: str) -> str:
        """Check a value."""
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
            raise refused(name, f"must be a text of 1 to {MAX_TEXT} characters")
        return value


class Names(NamedTuple):
    """A list of names."""

    most: int
    default: tuple[str, ...] = ()

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        """Check a value."""
        if (
            not isinstance(value, list | tuple)
            or len(value) > self.most
            or not all(isinstance(one, str) and 0 < len(one) <= MAX_TEXT for one in value)
        ):
            raise refused(name, f"must be a list of at most {self.most} names")
        return tuple(value)


GRANULARITY = Choice(("turn", "message"), default="turn")


def refused(name: str, what: str) -> InvalidRequest:
    """Make the error for a field of ``memory``, or for ``memory`` itself when ``name`` is empty."""
    param = f"memory.{name}" if name else "memory"
    return InvalidRequest(f"`{param}` {what}.", param=param)


def names(options: Mapping[str, Any] | tuple[str, ...]) -> str:
    """Write names for a message."""
    return ", ".join(f"`{option}`" for option in options)


def check_step(values: Mapping[str, Any], step: str, limit: str, most: int) -> None:
    """Refuse a step that is larger than the window.

    Raises
    ------
    InvalidRequest
        Naming the step and its range.
    """
    if values[step] is not None and values[step] > most:
        raise refused(step, f"must be an integer from 1 to {most}, what `{limit}` holds")
