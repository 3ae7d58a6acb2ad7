"""The limit of messages per customer and minute, counted once per message for a whole batch by one
call to Redis.

Redis keeps the messages of the minute by key, in the order they came: a repeat finds its own number
again and gets the same verdict. The window begins with the first message and ends 60 s later. Redis
away: no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from webhook import script

WINDOW_SECONDS = 60

# KEYS: one sorted set per message, ARGV[1]: window, then for each message how many numbers its set
# keeps, and its key. Returns number and seconds to the window's end, in turn. Beyond the kept ones
# a flooder costs no more memory.
_NUMBERS = """
local found = {}
for i, set in ipairs(KEYS) do
  local kept, key = tonumber(ARGV[2 * i]), ARGV[2 * i + 1]
  local number = redis.call('ZSCORE', set, key)
  if not number then
    number = redis.call('ZCARD', set) + 1
    if number <= kept then
      redis.call('ZADD', set, number, key)
      if number == 1 then redis.call('EXPIRE', set, ARGV[1]) end
    end
  end
  found[#found + 1] = tonumber(number)
  found[#found + 1] = redis.call('TTL', set)
end
return found
"""


@dataclass(frozen=True)
class MinuteCount:
    """Which message of its minute this one is, 1 the first, and the seconds
    until the minute ends.
    """

    number: int
    seconds_left: int

    @property
    def is_first_too_many(self) -> bool:
        return self.number == settings.RATE_LIMIT_PER_MINUTE + 1

    @property
    def is_too_many(self) -> bool:
        return self.number > settings.RATE_LIMIT_PER_MINUTE


UNLIMITED = MinuteCount(0, 0)


class Counted(NamedTuple):
    """A push that counts. The first one past the limit is answered with a word, where somebody
    reads it.
    """

    account_id: int
    openid: str
    dedup_key: str
    is_heard: bool = True


def counts(messages: Sequence[Counted]) -> list[MinuteCount]:
    """The number of each push in its customer's minute, in order."""
    if not messages:
        return []
    limit = settings.RATE_LIMIT_PER_MINUTE
    keys = [f"rate:{message.account_id}:{message.openid}" for message in messages]
    arguments: list[int | str] = [WINDOW_SECONDS]
    for message in messages:
        # The number behind the limit is for the word: one that nobody would read must not take it.
        arguments += [limit + 1 if message.is_heard else limit, message.dedup_key]
    found = script.run(_NUMBERS, keys, arguments, without="rate limit")
    if found is None:
        return [UNLIMITED] * len(messages)
    return [
        MinuteCount(number, max(left, 1))
        for number, left in zip(found[::2], found[1::2], strict=True)
    ]


def number_of_newcomer(account_id: int, customer_id: int) -> int:
    """Which new customer of the account's minute this one is, 1 the first. 0: no limit, Redis is
    away.
    """
    kept = settings.NEW_CUSTOMERS_PER_MINUTE
    arguments = [WINDOW_SECONDS, kept, customer_id]
    found = script.run(
        _NUMBERS, [f"newcomers:{account_id}"], arguments, without="limit of newcomers"
    )
    return 0 if found is None else found[0]
