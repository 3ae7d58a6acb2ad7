"""What a kind of push is, apart from its fields. Each dataclass of `incoming.py` and `events.py`
declares its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from django.utils.functional import Promise

Words = str | Promise


class Expects(Enum):
    """What a push asks of us."""

    # The customer waits for an answer.
    ANSWER = auto()
    # Nobody waits, but the push changes what we know of the customer.
    RECORD = auto()
    NOTHING = auto()


class Opens(Enum):
    """The reply window that a push opens: sends by the customer-service API, for a time."""

    # 5 sends within 48 hours.
    MESSAGE_WINDOW = auto()
    # 3 sends within a minute.
    EVENT_WINDOW = auto()
    NO_WINDOW = auto()
    # The customer left: the windows that are open close.
    NO_WINDOW_ANY_MORE = auto()


@dataclass(frozen=True)
class Speech:
    """A bubble of the customer's in a ticket's thread: `words`, the text of the push, and the
    fields that `shows` names. `picture` names the field with a picture's address.
    """

    words: Words = ""
    shows: tuple[str, ...] = ()
    picture: str = ""


@dataclass(frozen=True)
class Line:
    """A line between the bubbles of a ticket's thread. `words` may hold fields of the push in
    braces; without the field that `needs` names there is no line.
    """

    words: Words
    needs: str = ""


# None: the thread leaves the push out.
Look = Speech | Line | None


@dataclass(frozen=True)
class Traits:
    label: Words
    expects: Expects = Expects.NOTHING
    opens: Opens = Opens.NO_WINDOW
    look: Look = None
    # Against the customer's limit of messages a minute. Most events come by themselves (a place
    # every few seconds), and must not cost the customer an answer.
    is_counted: bool = False
