"""What is said to a customer, before it is put into words: the moment and its values.

Each package defines the moments at which it speaks in its `moments.py`, and registers them when the
apps start. This module reads no row: `replies/wording.py` finds the account's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from django.utils.functional import Promise


@dataclass(frozen=True)
class Moment:
    """A moment at which the bot has words of its own. Editors may replace `default` by theirs.

    `needs` are the values that its words show, so whoever speaks gives them. `keeps` are those
    that an editor must not leave out: without its link an answer would never be read.
    """

    key: str
    label: str | Promise
    default: str | Promise
    needs: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()


_moments: dict[str, Moment] = {}


def register(moments: Iterable[Moment]) -> None:
    for moment in moments:
        if _moments.setdefault(moment.key, moment) is not moment:
            raise ValueError(f"two moments are called {moment.key!r}")


def registered() -> Mapping[str, Moment]:
    """All moments by their keys, in the order in which the packages registered them."""
    return _moments


def moment_label(key: str) -> str:
    """How editors know a moment; one that was given up is known by its key."""
    moment = _moments.get(key)
    return key if moment is None else str(moment.label)


@dataclass(frozen=True, init=False)
class Saying:
    """The account's words for a moment, filled with these values."""

    key: str
    values: Mapping[str, object]

    def __init__(self, key: str, **values: object) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class LookLink:
    """A value of a saying: the tap link that fetches what waits. A moment has the words on it."""

    label: str


@dataclass(frozen=True)
class Lines:
    """Several things said in one text, each on a line of its own."""

    said: tuple[Sayable, ...]


# A text is said as it is: an FAQ's words, a model's, an agent's.
Sayable: TypeAlias = "str | Saying | Lines"
