"""What WeChat makes of our answer to a push."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from simulator.credentials import Credentials
from simulator.envelope import Unreadable, fields_of, open_reply
from simulator.models import Outcome

# Not published; longer texts are reported to fail.
LONGEST_TEXT = 2048
# What a passive reply may be, and what our drawing of a phone shows for it.
PLACEHOLDERS = {
    "image": _("[图片]"),
    "voice": _("[语音]"),
    "video": _("[视频]"),
    "music": _("[音乐]"),
    "news": _("[图文]"),
}


@dataclass(frozen=True)
class Reading:
    """`text` is what the phone shows, "" for nothing; `repeats`: WeChat delivers the push once
    more.
    """

    outcome: Outcome
    text: str = ""
    clear: str = ""
    reason: str = ""

    @property
    def repeats(self) -> bool:
        """Only an answer that never arrived is a cause to repeat."""
        return self.outcome in (Outcome.TIMED_OUT, Outcome.NOT_REACHED, Outcome.LOST)

    @property
    def is_failure(self) -> bool:
        return self.repeats or self.outcome in (Outcome.REFUSED, Outcome.UNREADABLE)


def read(status: int, body: bytes, *, keys: Credentials, mode: str, openid: str) -> Reading:
    if status != 200:
        return Reading(Outcome.REFUSED, reason="http_status")
    if body in (b"", b"success"):
        return Reading(Outcome.SUCCESS, clear=body.decode())
    try:
        clear = open_reply(body, keys, mode)
        return Reading(Outcome.REPLIED, text=_shown(fields_of(clear), keys, openid), clear=clear)
    except Unreadable as error:
        return Reading(Outcome.UNREADABLE, reason=str(error))


def _shown(fields: dict[str, str], keys: Credentials, openid: str) -> str:
    """The text on the phone; raises `Unreadable` where WeChat would show its failure notice."""
    if fields.get("ToUserName") != openid or fields.get("FromUserName") != keys.original_id:
        raise Unreadable("wrong_names")
    if not fields.get("CreateTime", "").isdigit():
        raise Unreadable("bad_create_time")
    kind = fields.get("MsgType", "")
    if kind == "transfer_customer_service":
        return ""
    if kind in PLACEHOLDERS:
        return str(PLACEHOLDERS[kind])
    if kind != "text":
        raise Unreadable(f"unknown_kind:{kind[:40]}")
    return _text(fields.get("Content", ""))


def _text(content: str) -> str:
    if not content:
        raise Unreadable("empty_text")
    if len(content.encode()) > LONGEST_TEXT:
        raise Unreadable("too_long")
    return content
