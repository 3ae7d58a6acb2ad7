"""What each kind of push asks of us."""

from __future__ import annotations

FOLLOW, UNFOLLOW = "event.subscribe", "event.unsubscribe"
CLICK = "event.click"
UNKNOWN = "unsupported"

# Messages, and the events that a customer expects an answer to.
ANSWERED_KINDS = frozenset(
    {"text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage"}
    | {FOLLOW, CLICK}
)
# Nobody reads an answer to these, but they change what we know of the customer.
UNHEARD_KINDS = frozenset({UNFOLLOW, "event.scan", "event.scancode_push", "event.scancode_waitmsg"})
# Events that count against a customer's limit as messages do: a tap that is answered, and whatever
# is kept raw. Other events come by themselves (a place every few seconds), and must not cost the
# customer an answer.
COUNTED_EVENTS = frozenset({CLICK, UNKNOWN})
HANDLED_KINDS = ANSWERED_KINDS | UNHEARD_KINDS
