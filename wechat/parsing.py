"""Bytes of a push to one of our own types."""

from __future__ import annotations

from wechat import events
from wechat.fields import Fields, NotUnderstood, Useless, read_fields
from wechat.incoming import (
    KINDS,
    MAX_OPENID,
    Incoming,
    IncomingImage,
    IncomingLink,
    IncomingLocation,
    IncomingMessage,
    IncomingMiniProgramPage,
    IncomingShortVideo,
    IncomingText,
    IncomingVideo,
    IncomingVoice,
    Unsupported,
)

__all__ = [
    "Incoming",
    "IncomingImage",
    "IncomingLink",
    "IncomingLocation",
    "IncomingMessage",
    "IncomingMiniProgramPage",
    "IncomingShortVideo",
    "IncomingText",
    "IncomingVideo",
    "IncomingVoice",
    "NotUnderstood",
    "Unsupported",
    "events",
    "parse",
]


def parse(xml: bytes) -> Incoming:
    """Raises `NotUnderstood` for what is no push at all; what is one but of no use to us comes out
    as `Unsupported`.
    """
    found = read_fields(xml)
    msg_type = found.text("MsgType").strip().lower()
    event = found.text("Event").strip().lower() if msg_type == "event" else ""
    kind = KINDS.get((msg_type, event))
    if kind is None:
        return _unsupported(found, xml)
    try:
        return kind.read(found)
    except Useless:
        return _unsupported(found, xml)


def _unsupported(found: Fields, xml: bytes) -> Unsupported:
    openid = found.text("FromUserName")
    return Unsupported(
        openid=openid if len(openid) <= MAX_OPENID else "",
        to=found.text("ToUserName")[:MAX_OPENID],
        created=_created(found),
        raw=xml.decode("utf-8", "replace"),
        msg_type=found.text("MsgType")[:MAX_OPENID],
        event=found.text("Event")[:MAX_OPENID],
        msg_id=found.text("MsgId")[:MAX_OPENID],
    )


def _created(found: Fields) -> int:
    try:
        return found.integer("CreateTime")
    except Useless:
        return 0
