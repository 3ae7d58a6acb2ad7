"""Failed logins, counted in Redis: by pair of account and address, by address, and by account.

A pair and an address are locked for a while. An account alone is only slowed: a lock would let
anybody keep a colleague out by typing wrong passwords.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import unicodedata
from dataclasses import dataclass

from django.contrib.auth.models import User

from common.networks import read_address
from common.redis import REDIS_AWAY, redis

log = logging.getLogger(__name__)

PAIR_LIMIT = 5
# An office behind one address has many people in it.
ADDRESS_LIMIT = 30
LOCK_SECONDS = 900
# From here on each failure, from wherever, makes the next answer slower.
ACCOUNT_PATIENCE = 10
ACCOUNT_SECONDS = 3600
LONGEST_PAUSE = 3.0

# One call, so that no counter stays without an end. A count that reaches the limit locks for the
# whole time.
COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 or count == tonumber(ARGV[2]) then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return count
"""
PREFIX = "login"


@dataclass(frozen=True)
class Attempt:
    """Somebody at `address` says to be `account`."""

    account: str
    address: str

    @property
    def locks(self) -> tuple[tuple[str, int], ...]:
        pair = f"{PREFIX}:pair:{_digest(self.account)}:{self.address}"
        return ((pair, PAIR_LIMIT), (f"{PREFIX}:address:{self.address}", ADDRESS_LIMIT))

    @property
    def account_key(self) -> str:
        return f"{PREFIX}:account:{_digest(self.account)}"

    def seconds_to_wait(self) -> int:
        """0 where nothing is locked. Without Redis nobody is: the two places
        for hashes still hold.
        """
        try:
            return max(_seconds_locked(key, limit) for key, limit in self.locks)
        except REDIS_AWAY as error:
            log.warning("Redis is away, failed logins are not counted: %s", error)
            return 0

    def pause(self) -> float:
        """How long the answer is put off, in seconds."""
        try:
            failures = int(redis().get(self.account_key) or 0)
        except REDIS_AWAY:
            return 0.0
        return min(LONGEST_PAUSE, max(0, failures - ACCOUNT_PATIENCE + 1) * 0.5)

    def count_failure(self) -> None:
        try:
            counts = [(_count(key, LOCK_SECONDS, limit), limit) for key, limit in self.locks]
            _count(self.account_key, ACCOUNT_SECONDS, 0)
        except REDIS_AWAY as error:
            log.warning("Redis is away, a failed login is not counted: %s", error)
            return
        if any(count == limit for count, limit in counts):
            # A password is now and then typed into the wrong box: no name here.
            log.warning(
                "Logins from %s are locked for %d minutes", self.address, LOCK_SECONDS // 60
            )

    def forgive_pair(self) -> None:
        """A right password ends the count of its pair. Not that of the address: an attacker may
        have a login too.
        """
        try:
            redis().delete(self.locks[0][0])
        except REDIS_AWAY as error:
            log.warning("Redis is away, failed logins are not forgotten: %s", error)


def attempt_of(username: str, address: str) -> Attempt:
    return Attempt(_account_of(username), _neighbours(address))


def unlock(*, username: str = "", address: str = "") -> int:
    """Forget failures of one account, of one address, or (neither) of all.
    How many counters went.
    """
    if username:
        digest = _digest(_account_of(username))
        patterns = [f"{PREFIX}:pair:{digest}:*", f"{PREFIX}:account:{digest}"]
    elif address:
        known = _neighbours(address)
        patterns = [f"{PREFIX}:pair:*:{known}", f"{PREFIX}:address:{known}"]
    else:
        patterns = [f"{PREFIX}:{kind}:*" for kind in ("pair", "address", "account")]
    keys = [key for pattern in patterns for key in redis().scan_iter(pattern, count=1000)]
    return int(redis().delete(*keys)) if keys else 0


def _count(key: str, seconds: int, limit: int) -> int:
    return int(redis().eval(COUNT, 1, key, seconds, limit))


def _seconds_locked(key: str, limit: int) -> int:
    if int(redis().get(key) or 0) < limit:
        return 0
    return max(0, int(redis().ttl(key)))


def _account_of(username: str) -> str:
    """The name as it stands in the row: MySQL finds `admin` by `Ádmin` too, and that is no other
    account.
    """
    found = User.objects.filter(username=username).values_list("username", flat=True).first()
    return found or unicodedata.normalize("NFKC", username).casefold()


def _neighbours(address: str) -> str:
    """A client with one IPv6 address has 2^64 of them, so the network counts."""
    found = read_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found or address)


def _digest(account: str) -> str:
    """A name may hold anything; a key is searched for by pattern."""
    return hashlib.sha256(account.encode()).hexdigest()[:24]
