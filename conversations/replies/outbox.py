"""The text that a worker sends in the very task that wrote it.

`say` writes it as SENDING already, counted on the ledger, in the answer's own transaction: no
second claim is needed. Only a process that sends right after each answer opens its outbox;
everywhere else the text is READY for delivery.
"""

from __future__ import annotations

from conversations.models import Reply

_is_open = False
_claimed: dict[str, Reply] = {}


def open_here() -> None:
    global _is_open
    _is_open = True


def close_here() -> None:
    global _is_open
    _is_open = False
    _claimed.clear()


def is_open() -> bool:
    return _is_open


def put(lease: str, reply: Reply) -> None:
    _claimed[lease] = reply


def take(lease: str) -> Reply | None:
    return _claimed.pop(lease, None)
