"""What WeChat reports of a customer or of the account: one frozen dataclass for each event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from wechat.fields import Fields
from wechat.incoming import KINDS, Incoming, K, count_of, number_of, short_key, text_of
from wechat.traits import Expects, Line, Opens, Traits


def event(name: str, traits: Traits, *, kind: str | None = None) -> Callable[[K], K]:
    """Enter a class for an event of this name. WeChat writes some in capitals; they are compared in
    lower case.
    """

    def register(cls: K) -> K:
        cls.kind = f"event.{kind or name}"
        cls.traits = traits
        KINDS["event", name] = cls
        return cls

    return register


@dataclass(frozen=True, kw_only=True)
class Event(Incoming):
    """Also stands for an event that a newer version stored and this one does not know."""

    kind: ClassVar[str] = "event"
    traits: ClassVar[Traits] = Traits(_("其他事件"))

    event_key: str = text_of("EventKey")

    @property
    def subject(self) -> str:
        """What tells two events of one customer in one second apart."""
        return self.event_key

    @property
    def dedup_key(self) -> str:
        return short_key(
            f"{self.openid}:{self.created}:{self.kind.removeprefix('event.')}:{self.subject}"
        )


# --- Following ----------------------------------------------------------------------------------


@event(
    "subscribe",
    Traits(
        _("关注"),
        expects=Expects.ANSWER,
        opens=Opens.EVENT_WINDOW,
        look=Line(_("客户关注了公众号")),
    ),
)
@dataclass(frozen=True, kw_only=True)
class Subscribed(Event):
    """`scene` and `ticket` are set when the customer followed by scanning a QR code with
    parameters.
    """

    ticket: str = text_of("Ticket")

    @property
    def scene(self) -> str:
        return self.event_key.removeprefix("qrscene_")


@event(
    "unsubscribe",
    Traits(
        _("取消关注"),
        expects=Expects.RECORD,
        opens=Opens.NO_WINDOW_ANY_MORE,
        look=Line(_("客户取消了关注")),
    ),
)
@dataclass(frozen=True, kw_only=True)
class Unsubscribed(Event):
    pass


@event(
    "scan",
    Traits(_("扫描带参数二维码"), expects=Expects.RECORD, opens=Opens.EVENT_WINDOW),
)
@dataclass(frozen=True, kw_only=True)
class Scanned(Event):
    ticket: str = text_of("Ticket")

    @property
    def scene(self) -> str:
        return self.event_key


@event("location", Traits(_("上报位置")))
@dataclass(frozen=True, kw_only=True)
class LocationReported(Event):
    latitude: float = number_of("Latitude")
    longitude: float = number_of("Longitude")
    precision: float = number_of("Precision")


# --- The menu -----------------------------------------------------------------------------------


@event(
    "click",
    Traits(
        _("点击菜单"),
        expects=Expects.ANSWER,
        opens=Opens.EVENT_WINDOW,
        look=Line(_("客户点了菜单「{event_key}」"), needs="event_key"),
        is_counted=True,
    ),
)
@dataclass(frozen=True, kw_only=True)
class MenuClicked(Event):
    @property
    def question(self) -> str:
        return self.event_key


@event("view", Traits(_("点击菜单链接")))
@dataclass(frozen=True, kw_only=True)
class MenuViewed(Event):
    """`menu_id` is set when the menu is one that WeChat shows to some customers only."""

    menu_id: str = text_of("MenuId")

    @property
    def url(self) -> str:
        return self.event_key


@event("view_miniprogram", Traits(_("点击菜单小程序")))
@dataclass(frozen=True, kw_only=True)
class MiniProgramViewed(Event):
    menu_id: str = text_of("MenuId")

    @property
    def page_path(self) -> str:
        return self.event_key


@event(
    "scancode_push",
    Traits(_("菜单扫码"), expects=Expects.RECORD, opens=Opens.EVENT_WINDOW),
)
@dataclass(frozen=True, kw_only=True)
class CodeScanned(Event):
    scan_type: str = text_of("ScanCodeInfo/ScanType")
    scan_result: str = text_of("ScanCodeInfo/ScanResult")


@event(
    "scancode_waitmsg",
    Traits(_("菜单扫码并等待"), expects=Expects.RECORD, opens=Opens.EVENT_WINDOW),
)
@dataclass(frozen=True, kw_only=True)
class CodeScannedForReply(CodeScanned):
    """The client shows that it waits for a message."""


@event("pic_sysphoto", Traits(_("菜单拍照")))
@dataclass(frozen=True, kw_only=True)
class PhotoTaken(Event):
    count: int = count_of("SendPicsInfo/Count")
    md5_sums: tuple[str, ...] = field(
        default=(),
        metadata={"read": lambda found: found.texts("SendPicsInfo/PicList/item/PicMd5Sum")},
    )


@event("pic_photo_or_album", Traits(_("菜单拍照或选图")))
@dataclass(frozen=True, kw_only=True)
class PhotoTakenOrPicked(PhotoTaken):
    pass


@event("pic_weixin", Traits(_("菜单选图")))
@dataclass(frozen=True, kw_only=True)
class PhotoPicked(PhotoTaken):
    pass


@event("location_select", Traits(_("菜单选择位置")))
@dataclass(frozen=True, kw_only=True)
class LocationPicked(Event):
    latitude: float = number_of("SendLocationInfo/Location_X")
    longitude: float = number_of("SendLocationInfo/Location_Y")
    scale: str = text_of("SendLocationInfo/Scale")
    label: str = text_of("SendLocationInfo/Label")
    place: str = text_of("SendLocationInfo/Poiname")


# --- What became of what we sent ----------------------------------------------------------------


@event("templatesendjobfinish", Traits(_("模板消息送达结果")))
@dataclass(frozen=True, kw_only=True)
class TemplateSent(Event):
    job_id: str = text_of("MsgID", "MsgId")
    status: str = text_of("Status")

    @property
    def subject(self) -> str:
        """Several may be sent to one customer in one second."""
        return self.job_id


@event("masssendjobfinish", Traits(_("群发结果")))
@dataclass(frozen=True, kw_only=True)
class MassSent(TemplateSent):
    total_count: int = count_of("TotalCount")
    filter_count: int = count_of("FilterCount")
    sent_count: int = count_of("SentCount")
    error_count: int = count_of("ErrorCount")


@dataclass(frozen=True)
class Subscription:
    """One template of a subscription notice: `result` is accept or reject, or what became of a
    sending.
    """

    template_id: str = ""
    result: str = ""
    job_id: str = ""
    error_code: str = ""


@dataclass(frozen=True, kw_only=True)
class SubscriptionEvent(Event):
    subscriptions: tuple[Subscription, ...] = ()

    @property
    def subject(self) -> str:
        return ",".join(f"{one.template_id}{one.job_id}" for one in self.subscriptions)

    def stored_fields(self) -> dict[str, Any]:
        return {**super().stored_fields(), "subscriptions": [*map(_plain, self.subscriptions)]}


def subscriptions_in(path: str) -> Any:
    def read(found: Fields) -> tuple[Subscription, ...]:
        return tuple(_subscription(group) for group in found.groups(f"{path}/List"))

    return field(default=(), metadata={"read": read, "restored": _restored})


def _plain(one: Subscription) -> dict[str, str]:
    return {name: value for name, value in vars(one).items() if value}


def _restored(stored: list[dict[str, str]]) -> tuple[Subscription, ...]:
    return tuple(Subscription(**one) for one in stored)


def _subscription(group: dict[str, str]) -> Subscription:
    return Subscription(
        template_id=group.get("TemplateId", ""),
        result=group.get("SubscribeStatusString") or group.get("ErrorStatus", ""),
        job_id=group.get("MsgID", ""),
        error_code=group.get("ErrorCode", ""),
    )


@event("subscribe_msg_popup_event", Traits(_("订阅通知选择")))
@dataclass(frozen=True, kw_only=True)
class SubscriptionAnswered(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgPopupEvent")


@event("subscribe_msg_change_event", Traits(_("订阅通知变更")))
@dataclass(frozen=True, kw_only=True)
class SubscriptionChanged(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgChangeEvent")


@event("subscribe_msg_sent_event", Traits(_("订阅通知送达结果")))
@dataclass(frozen=True, kw_only=True)
class SubscriptionSent(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgSentEvent")


# --- WeChat's own desk --------------------------------------------------------------------------


@event("kf_create_session", Traits(_("微信客服会话开始")))
@dataclass(frozen=True, kw_only=True)
class DeskSessionOpened(Event):
    desk_account: str = text_of("KfAccount")


@event("kf_close_session", Traits(_("微信客服会话结束")))
@dataclass(frozen=True, kw_only=True)
class DeskSessionClosed(Event):
    desk_account: str = text_of("KfAccount")


@event("kf_switch_session", Traits(_("微信客服会话转接")))
@dataclass(frozen=True, kw_only=True)
class DeskSessionSwitched(Event):
    from_account: str = text_of("FromKfAccount")
    to_account: str = text_of("ToKfAccount")


# --- The account's verification: losing it loses the customer-service API
# ---------------------------------------------


@dataclass(frozen=True, kw_only=True)
class VerificationEvent(Event):
    expires: int = count_of("ExpiredTime")


@dataclass(frozen=True, kw_only=True)
class VerificationRefused(Event):
    failed: int = count_of("FailTime")
    reason: str = text_of("FailReason")


@event("qualification_verify_success", Traits(_("资质认证成功")), kind="qualification_verified")
@dataclass(frozen=True, kw_only=True)
class QualificationVerified(VerificationEvent):
    pass


@event("qualification_verify_fail", Traits(_("资质认证失败")), kind="qualification_refused")
@dataclass(frozen=True, kw_only=True)
class QualificationRefused(VerificationRefused):
    pass


@event("naming_verify_success", Traits(_("名称认证成功")), kind="naming_verified")
@dataclass(frozen=True, kw_only=True)
class NamingVerified(VerificationEvent):
    pass


@event("naming_verify_fail", Traits(_("名称认证失败")), kind="naming_refused")
@dataclass(frozen=True, kw_only=True)
class NamingRefused(VerificationRefused):
    pass


@event("annual_renew", Traits(_("认证年审提醒")))
@dataclass(frozen=True, kw_only=True)
class RenewalDue(VerificationEvent):
    pass


@event("verify_expired", Traits(_("认证过期")))
@dataclass(frozen=True, kw_only=True)
class VerificationExpired(VerificationEvent):
    pass
