"""The limit of messages per customer and minute, counted once per message for a whole batch by one call to Redis.

Redis keeps the messages of the minute by key, in the order they came: a repeat finds its own place again and gets the
same verdict. The window begins with the first message and ends 60 s later. Redis away: no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from webhook import script

WINDOW_SECONDS = 60

# KEYS: one sorted set per message, ARGV[1]: window, ARGV[2]: how many places are kept, then one dedup key per message.
# Returns place and seconds to the window's end, in turn. Beyond the kept places a flooder costs no more memory.
_PLACES = """
local found = {}
for i, set in ipairs(KEYS) do
  local key = ARGV[i + 2]
  local place = redis.call('ZSCORE', set, key)
  if not place then
    place = redis.call('ZCARD', set) + 1
    if place <= tonumber(ARGV[2]) then
      redis.call('ZADD', set, place, key)
      if place == 1 then redis.call('EXPIRE', set, ARGV[1]) end
    end
  end
  found[#found + 1] = tonumber(place)
  found[#found + 1] = redis.call('TTL', set)
end
return found
"""


@dataclass(frozen=True)
class Place:
    """Which message of its minute this one is, 1 the first, and the seconds until the minute ends."""

    number: int
    seconds_left: int

    @property
    def is_first_too_many(self) -> bool:
        return self.number == settings.RATE_LIMIT_PER_MINUTE + 1

    @property
    def is_too_many(self) -> bool:
        return self.number > settings.RATE_LIMIT_PER_MINUTE


UNLIMITED = Place(0, 0)


def places(messages: Sequence[tuple[int, str, str]]) -> list[Place]:
    """The place of each `(account_id, openid, dedup_key)`, in order."""
    if not messages:
        return []
    keys = [f"rate:{account_id}:{openid}" for account_id, openid, _ in messages]
    arguments = [WINDOW_SECONDS, settings.RATE_LIMIT_PER_MINUTE + 1, *(key for _, _, key in messages)]
    found = script.run(_PLACES, keys, arguments, without="rate limit")
    if found is None:
        return [UNLIMITED] * len(messages)
    return [Place(number, max(left, 1)) for number, left in zip(found[::2], found[1::2], strict=True)]
