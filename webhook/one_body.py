"""Plain pushes: one body behind each signature.

The signature of a plain push covers token, timestamp and nonce, not the body. Whoever reads the URL
of one in a log could put other words behind it. WeChat signs each delivery anew, so the first body
behind a signature is its own; the same body may come again (a repeat on the way), another one
never. Sealed pushes need none of this: their `msg_signature` covers what is in them. Redis away:
every body is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from webhook import script

_DIGEST_BYTES = 16

# KEYS: one per plain push, ARGV[1]: seconds to remember it, then the digest of each body.
# Returns for each whether this body is the first one behind its signature, or the same again.
_ONE_EACH = """
local found = {}
for i, key in ipairs(KEYS) do
  local body = ARGV[i + 1]
  if redis.call('SET', key, body, 'NX', 'EX', ARGV[1]) then
    found[i] = 1
  else
    found[i] = redis.call('GET', key) == body and 1 or 0
  end
end
return found
"""


@dataclass(frozen=True, slots=True)
class PlainBody:
    """A body by its digest, and the signature that it came with.

    Two queries that make the same signature from differently cut timestamps and nonces count as
    one.
    """

    signature: str
    digest: bytes

    @classmethod
    def of(cls, signature: str, body: bytes) -> Self:
        return cls(signature, hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest())


def are_first(bodies: Sequence[tuple[int, PlainBody]]) -> list[bool]:
    """For each `(account_id, body)` whether no other body came with its signature before."""
    if not bodies:
        return []
    keys = [f"plain:{account_id}:{body.signature}" for account_id, body in bodies]
    # A timestamp may be as far ahead of our clock as behind it.
    seconds = 2 * settings.CALLBACK_MAX_AGE
    digests = [body.digest for _, body in bodies]
    found = script.run(_ONE_EACH, keys, [seconds, *digests], without="check of plain bodies")
    return [True] * len(bodies) if found is None else [bool(one) for one in found]
