"""Customer-service messages: who may still be written to, and how much."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from simulator import phone
from simulator.api_errors import Refused
from simulator.live import tell_follower
from simulator.models import Follower, QuotaUsedUp, WindowClosed
from simulator.replies import LONGEST_TEXT, PLACEHOLDERS

TYPING_LASTS = timedelta(seconds=15)
TYPING_NEEDS_EXCHANGE_WITHIN = timedelta(seconds=30)
OK = {"errcode": 0, "errmsg": "ok"}

Given = dict[str, Any]


def send_message(given: Given) -> Given:
    follower = _follower(given)
    text = _content(given)
    _take_send(follower)
    Follower.objects.filter(pk=follower.pk).update(
        typing_until=None, last_exchange_at=timezone.now()
    )
    marked = given.get("aimsgcontext")
    ai_generated = isinstance(marked, dict) and marked.get("is_ai_msg") == 1
    phone.show_reply(follower.pk, text, channel="api", ai_generated=ai_generated)
    follower.refresh_from_db()
    tell_follower(follower)
    return OK


def show_typing(given: Given) -> Given:
    follower, now = _follower(given), timezone.now()
    if given.get("command") not in ("Typing", "CancelTyping"):
        raise Refused(45072, "invalid command")
    if not follower.has_open_window(now):
        raise Refused(45015, "response out of time limit or subscription is canceled")
    if (
        not follower.last_exchange_at
        or follower.last_exchange_at + TYPING_NEEDS_EXCHANGE_WITHIN < now
    ):
        raise Refused(45080, "no message exchange in the last 30 seconds")
    typing = given["command"] == "Typing"
    if typing and follower.typing_until and follower.typing_until > now:
        raise Refused(45081, "already in typing state")
    follower.typing_until = now + TYPING_LASTS if typing else None
    follower.save(update_fields=["typing_until"])
    tell_follower(follower)
    return OK


def _follower(given: Given) -> Follower:
    follower = Follower.objects.filter(openid=str(given.get("touser", ""))).first()
    if follower is None:
        raise Refused(40003, "invalid openid")
    if not follower.following:
        raise Refused(43004, "require subscribe")
    return follower


def _take_send(follower: Follower) -> None:
    try:
        follower.take_send(timezone.now())
    except WindowClosed as error:
        raise Refused(45015, "response out of time limit or subscription is canceled") from error
    except QuotaUsedUp as error:
        raise Refused(45047, "out of response count limit") from error


def _content(given: Given) -> str:
    """The message as the phone shows it; raises `Refused` for one that WeChat would not take."""
    kind = given.get("msgtype")
    body = given.get(str(kind))
    if kind not in ("text", "msgmenu", *PLACEHOLDERS):
        raise Refused(40008, "invalid message type")
    if not isinstance(body, dict):
        raise Refused(44004, "empty content")
    if kind == "text":
        return _within_limit(body.get("content"))
    if kind == "msgmenu":
        return _within_limit(_menu(body))
    return str(PLACEHOLDERS[str(kind)])


def _within_limit(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise Refused(44004, "empty content")
    if len(text.encode("utf-8", "replace")) > LONGEST_TEXT:
        raise Refused(45002, "content size out of limit")
    return text


def _menu_link(option: Given) -> str:
    content = str(option.get("content", ""))
    address = f"msgmenucontent={quote(content)}&amp;msgmenuid={quote(str(option.get('id', '')))}"
    return f'<a href="weixin://bizmsgmenu?{address}">{escape(content)}</a>'


def _menu(body: Given) -> str:
    options = body.get("list")
    if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        raise Refused(47001, "data format error")
    links = [_menu_link(option) for option in options]
    lines = [body.get("head_content"), *links, body.get("tail_content")]
    return "\n".join(str(line) for line in lines if line)
