"""What appears on the phone."""

from __future__ import annotations

from typing import Literal

from simulator.live import tell_bubble
from simulator.models import Bubble, Follower, Side

# The words of WeChat's client, not ours: shown when an account did not answer readably in time.
FAILURE_NOTICE = "该公众号提供的服务出现故障，请稍后再试"
KEPT_BUBBLES = 400


def show_own(follower: Follower, text: str, *, kind: str = "text") -> Bubble:
    return _show(follower.pk, Side.CUSTOMER, text, kind=kind)


def show_reply(
    follower_id: int, text: str, *, channel: Literal["passive", "api"], ai_generated: bool = False
) -> Bubble:
    return _show(follower_id, Side.ACCOUNT, text, channel=channel, ai_generated=ai_generated)


def show_failure(follower_id: int) -> Bubble:
    return _show(follower_id, Side.NOTICE, FAILURE_NOTICE, kind="failure")


def show_notice(follower_id: int, kind: Literal["followed", "unfollowed"]) -> Bubble:
    """A grey line of the phone's own; the page words it."""
    return _show(follower_id, Side.NOTICE, "", kind=kind)


def _show(
    follower_id: int,
    side: Side,
    text: str,
    *,
    kind: str = "text",
    channel: str = "",
    ai_generated: bool = False,
) -> Bubble:
    bubble = Bubble.objects.create(
        follower_id=follower_id,
        side=side,
        text=text,
        kind=kind,
        channel=channel,
        ai_generated=ai_generated,
    )
    _forget_old(bubble)
    tell_bubble(bubble)
    return bubble


def _forget_old(bubble: Bubble) -> None:
    """Keep a phone's last few hundred bubbles. Now and then is enough."""
    if bubble.pk % 20:
        return
    mine = Bubble.objects.filter(follower_id=bubble.follower_id).order_by("-pk")
    oldest_kept = mine.values_list("pk", flat=True)[KEPT_BUBBLES - 1 : KEPT_BUBBLES].first()
    if oldest_kept:
        mine.filter(pk__lt=oldest_kept).delete()
