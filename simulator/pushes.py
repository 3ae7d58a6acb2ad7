"""The XML that WeChat pushes for what a person does on the phone."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from simulator.credentials import Credentials


@dataclass(frozen=True)
class Push:
    """One push, the same at each of its deliveries. `fields` are the XML elements beyond the common
    ones.
    """

    follower_id: int
    openid: str
    kind: str
    fields: tuple[tuple[str, str | int], ...] = ()
    summary: str = ""
    created: int = field(default_factory=lambda: int(time.time()))
    push_id: str = field(default_factory=lambda: str(new_msg_id()))

    @property
    def is_event(self) -> bool:
        return self.kind.startswith("event.")

    @property
    def is_seen_on_the_phone(self) -> bool:
        """Whether somebody looks at the chat when this push fails:
        nobody does after unfollowing.
        """
        return self.kind != "event.unsubscribe"

    def xml(self, keys: Credentials) -> str:
        elements: list[tuple[str, str | int]] = [
            ("ToUserName", keys.original_id),
            ("FromUserName", self.openid),
            ("CreateTime", self.created),
            ("MsgType", "event" if self.is_event else self.kind),
            *self.fields,
        ]
        if not self.is_event:
            elements.append(("MsgId", int(self.push_id)))
        return "<xml>" + "".join(_element(name, value) for name, value in elements) + "</xml>"


def new_msg_id() -> int:
    """A 64-bit number that grows with time, as WeChat's do."""
    return (int(time.time() * 1000) << 22 | secrets.randbits(22)) & 0x7FFF_FFFF_FFFF_FFFF


def _element(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    return f"<{name}><![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"


def text(content: str, *, option_id: str | None = None) -> tuple[tuple[str, str | int], ...]:
    fields: tuple[tuple[str, str | int], ...] = (("Content", content),)
    return fields if option_id is None else (*fields, ("bizmsgmenuid", option_id))


def image(url: str) -> tuple[tuple[str, str | int], ...]:
    return (("PicUrl", url), ("MediaId", secrets.token_urlsafe(48)))


def location(latitude: str, longitude: str, label: str) -> tuple[tuple[str, str | int], ...]:
    return (("Location_X", latitude), ("Location_Y", longitude), ("Scale", 16), ("Label", label))


def event(name: str, key: str = "") -> tuple[tuple[str, str | int], ...]:
    return (("Event", name), ("EventKey", key))
