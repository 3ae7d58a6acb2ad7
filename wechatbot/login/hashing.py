"""Passwords are hashed two at a time: each takes memory and a core, and whoever finds the login may
ask for one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import hashers

PLACES = 2
# At 30 ms each, whoever waits longer stands behind hundreds.
PATIENCE_SECONDS = 5.0

_places = threading.BoundedSemaphore(PLACES)
_held = threading.local()


class TooManyHashes(Exception):
    """Nobody was hashed for this request: try again in a moment."""


@contextmanager
def place_to_hash() -> Iterator[None]:
    """One of the two places. A thread that holds one already goes on with it."""
    if getattr(_held, "place", False):
        yield
        return
    if not _places.acquire(timeout=PATIENCE_SECONDS):
        raise TooManyHashes
    _held.place = True
    try:
        yield
    finally:
        _held.place = False
        _places.release()


class Argon2Hasher(hashers.Argon2PasswordHasher):
    """OWASP's least Argon2id: 19 MB, where Django takes 100."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with place_to_hash():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with place_to_hash():
            return super().verify(password, encoded)


class PBKDF2Hasher(hashers.PBKDF2PasswordHasher):
    """Reads what was hashed without Argon2; the next login hashes it anew."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with place_to_hash():
            return super().encode(password, salt, iterations)
