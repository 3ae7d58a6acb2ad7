"""What a person can do on the phone. Each action shows at once and, where WeChat pushes it, sets a
push going.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping

from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _

from simulator import background, phone, pushes
from simulator.delivery import deliver
from simulator.live import tell_follower
from simulator.models import Follower
from simulator.pushes import Push

LONGEST_TEXT = 2000
NAMES = (
    "林小满",
    "陈一鸣",
    "周晓雨",
    "王建国",
    "李思思",
    "赵明轩",
    "孙丽",
    "吴子涵",
    "郑海",
    "冯雅琪",
)
_SURROGATES = re.compile("[\ud800-\udfff\0]")

Answers = Mapping[str, object]


class NotPossible(Exception):
    """What the person tried does not work, in words for them."""


def new_follower(name: str = "") -> Follower:
    """Somebody finds the account and follows it."""
    follower = Follower.objects.create(
        openid=_new_openid(), name=name.strip()[:30] or _unused_name()
    )
    follow(follower, {})
    return follower


def say(follower: Follower, given: Answers) -> None:
    content = _text(given, "text")
    _must_follow(follower)
    phone.show_own(follower, content)
    follower.open_message_window(timezone.now())
    _push(follower, "text", pushes.text(content), content)


def tap(follower: Follower, given: Answers) -> None:
    """A tap on a msgmenu link sends its content as a text, and counts as a menu click: 3 sends in 1
    min.
    """
    content = _text(given, "content")
    _must_follow(follower)
    phone.show_own(follower, content)
    follower.open_event_window(timezone.now())
    _push(
        follower,
        "text",
        pushes.text(content, option_id=_text(given, "option_id", may_be_empty=True)),
        content,
    )


def send_image(follower: Follower, given: Answers) -> None:
    _must_follow(follower)
    phone.show_own(follower, "", kind="image")
    follower.open_message_window(timezone.now())
    _push(follower, "image", pushes.image(settings.PUBLIC_URL + static("simulator/photo.svg")), "")


def send_location(follower: Follower, given: Answers) -> None:
    label = "上海市黄浦区人民大道 200 号"
    _must_follow(follower)
    phone.show_own(follower, label, kind="location")
    follower.open_message_window(timezone.now())
    _push(follower, "location", pushes.location("31.230416", "121.473701", label), label)


def click_menu(follower: Follower, given: Answers) -> None:
    key = _text(given, "key")[:128]
    _must_follow(follower)
    follower.open_event_window(timezone.now())
    _push(follower, "event.click", pushes.event("CLICK", key), key)


def follow(follower: Follower, given: Answers) -> None:
    if follower.following:
        raise NotPossible(_("已经关注了。"))
    follower.follow()
    phone.show_notice(follower.pk, "followed")
    follower.open_event_window(timezone.now())
    _push(follower, "event.subscribe", pushes.event("subscribe"), "")


def unfollow(follower: Follower, given: Answers) -> None:
    _must_follow(follower)
    follower.unfollow()
    phone.show_notice(follower.pk, "unfollowed")
    _push(follower, "event.unsubscribe", pushes.event("unsubscribe"), "")


def start_over(follower: Follower, given: Answers) -> None:
    """An empty phone and a new OpenID, so that our side does not remember either. What it already
    has stays there.
    """
    follower.bubbles.all().delete()
    follower.exchanges.all().delete()
    follower.unfollow()
    follower.openid = _new_openid()
    follower.save(update_fields=["openid"])
    follow(follower, {})


ACTIONS: dict[str, Callable[[Follower, Answers], None]] = {
    "say": say,
    "tap": tap,
    "image": send_image,
    "location": send_location,
    "click": click_menu,
    "follow": follow,
    "unfollow": unfollow,
    "start-over": start_over,
}


def _push(
    follower: Follower, kind: str, fields: tuple[tuple[str, str | int], ...], summary: str
) -> None:
    tell_follower(follower)
    push = Push(
        follower_id=follower.pk, openid=follower.openid, kind=kind, fields=fields, summary=summary
    )
    background.run(deliver, push)


def _must_follow(follower: Follower) -> None:
    if not follower.following:
        raise NotPossible(_("还没有关注公众号，请先关注。"))


def _text(given: Answers, name: str, *, may_be_empty: bool = False) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or (not value.strip() and not may_be_empty):
        raise NotPossible(_("内容不能为空。"))
    if len(value) > LONGEST_TEXT:
        raise NotPossible(_("一条消息最多 %(most)d 个字。") % {"most": LONGEST_TEXT})
    return _SURROGATES.sub("", value)


def _new_openid() -> str:
    return "o" + secrets.token_urlsafe(24)[:27].replace("-", "a")


def _unused_name() -> str:
    taken = set(Follower.objects.values_list("name", flat=True))
    return next(
        (name for name in NAMES if name not in taken),
        _("客户 %(number)d") % {"number": len(taken) + 1},
    )
