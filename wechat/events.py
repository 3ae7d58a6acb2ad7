"""What WeChat reports of a customer or of the account: one frozen dataclass for each event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from wechat.fields import Fields
from wechat.incoming import KINDS, Incoming, K, count_of, number_of, short_key, text_of


def event(name: str, *, kind: str | None = None) -> Callable[[K], K]:
    """Enter a class for an event of this name. WeChat writes some in capitals; they are compared in
    lower case.
    """

    def register(cls: K) -> K:
        cls.kind = f"event.{kind or name}"
        KINDS["event", name] = cls
        return cls

    return register


@dataclass(frozen=True, kw_only=True)
class Event(Incoming):
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


@event("subscribe")
@dataclass(frozen=True, kw_only=True)
class Subscribed(Event):
    """`scene` and `ticket` are set when the customer followed by scanning a QR code with
    parameters.
    """

    opens_event_window: ClassVar[bool] = True

    ticket: str = text_of("Ticket")

    @property
    def scene(self) -> str:
        return self.event_key.removeprefix("qrscene_")


@event("unsubscribe")
@dataclass(frozen=True, kw_only=True)
class Unsubscribed(Event):
    pass


@event("scan")
@dataclass(frozen=True, kw_only=True)
class Scanned(Event):
    opens_event_window: ClassVar[bool] = True

    ticket: str = text_of("Ticket")

    @property
    def scene(self) -> str:
        return self.event_key


@event("location")
@dataclass(frozen=True, kw_only=True)
class LocationReported(Event):
    latitude: float = number_of("Latitude")
    longitude: float = number_of("Longitude")
    precision: float = number_of("Precision")


# --- The menu -----------------------------------------------------------------------------------


@event("click")
@dataclass(frozen=True, kw_only=True)
class MenuClicked(Event):
    opens_event_window: ClassVar[bool] = True

    @property
    def question(self) -> str:
        return self.event_key


@event("view")
@dataclass(frozen=True, kw_only=True)
class MenuViewed(Event):
    menu_id: str = text_of("MenuId")

    @property
    def url(self) -> str:
        return self.event_key


@event("view_miniprogram")
@dataclass(frozen=True, kw_only=True)
class MiniProgramViewed(Event):
    menu_id: str = text_of("MenuId")

    @property
    def page_path(self) -> str:
        return self.event_key


@event("scancode_push")
@dataclass(frozen=True, kw_only=True)
class CodeScanned(Event):
    opens_event_window: ClassVar[bool] = True

    scan_type: str = text_of("ScanCodeInfo/ScanType")
    scan_result: str = text_of("ScanCodeInfo/ScanResult")


@event("scancode_waitmsg")
@dataclass(frozen=True, kw_only=True)
class CodeScannedForReply(CodeScanned):
    """The client shows that it waits for a message."""


@event("pic_sysphoto")
@dataclass(frozen=True, kw_only=True)
class PhotoTaken(Event):
    count: int = count_of("SendPicsInfo/Count")
    md5_sums: tuple[str, ...] = field(
        default=(),
        metadata={"read": lambda found: found.texts("SendPicsInfo/PicList/item/PicMd5Sum")},
    )


@event("pic_photo_or_album")
@dataclass(frozen=True, kw_only=True)
class PhotoTakenOrPicked(PhotoTaken):
    pass


@event("pic_weixin")
@dataclass(frozen=True, kw_only=True)
class PhotoPicked(PhotoTaken):
    pass


@event("location_select")
@dataclass(frozen=True, kw_only=True)
class LocationPicked(Event):
    latitude: float = number_of("SendLocationInfo/Location_X")
    longitude: float = number_of("SendLocationInfo/Location_Y")
    scale: str = text_of("SendLocationInfo/Scale")
    label: str = text_of("SendLocationInfo/Label")
    place: str = text_of("SendLocationInfo/Poiname")


# --- What became of what we sent ----------------------------------------------------------------


@event("templatesendjobfinish")
@dataclass(frozen=True, kw_only=True)
class TemplateSent(Event):
    job_id: str = text_of("MsgID", "MsgId")
    status: str = text_of("Status")

    @property
    def subject(self) -> str:
        """Several may be sent to one customer in one second."""
        return self.job_id


@event("masssendjobfinish")
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

    template_id: str
    result: str
    job_id: str = ""
    error_code: str = ""


@dataclass(frozen=True, kw_only=True)
class SubscriptionEvent(Event):
    subscriptions: tuple[Subscription, ...] = ()

    @property
    def subject(self) -> str:
        return ",".join(f"{one.template_id}{one.job_id}" for one in self.subscriptions)

    def stored_fields(self) -> dict[str, Any]:
        return {
            "subscriptions": [
                {k: v for k, v in vars(one).items() if v} for one in self.subscriptions
            ]
        }


def subscriptions_in(path: str) -> Any:
    def read(found: Fields) -> tuple[Subscription, ...]:
        return tuple(_subscription(group) for group in found.groups(f"{path}/List"))

    return field(default=(), metadata={"read": read})


def _subscription(group: dict[str, str]) -> Subscription:
    return Subscription(
        template_id=group.get("TemplateId", ""),
        result=group.get("SubscribeStatusString") or group.get("ErrorStatus", ""),
        job_id=group.get("MsgID", ""),
        error_code=group.get("ErrorCode", ""),
    )


@event("subscribe_msg_popup_event")
@dataclass(frozen=True, kw_only=True)
class SubscriptionAnswered(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgPopupEvent")


@event("subscribe_msg_change_event")
@dataclass(frozen=True, kw_only=True)
class SubscriptionChanged(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgChangeEvent")


@event("subscribe_msg_sent_event")
@dataclass(frozen=True, kw_only=True)
class SubscriptionSent(SubscriptionEvent):
    subscriptions: tuple[Subscription, ...] = subscriptions_in("SubscribeMsgSentEvent")


# --- WeChat's own desk --------------------------------------------------------------------------


@event("kf_create_session")
@dataclass(frozen=True, kw_only=True)
class DeskSessionOpened(Event):
    desk_account: str = text_of("KfAccount")


@event("kf_close_session")
@dataclass(frozen=True, kw_only=True)
class DeskSessionClosed(Event):
    desk_account: str = text_of("KfAccount")


@event("kf_switch_session")
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


@event("qualification_verify_success", kind="qualification_verified")
@dataclass(frozen=True, kw_only=True)
class QualificationVerified(VerificationEvent):
    pass


@event("qualification_verify_fail", kind="qualification_refused")
@dataclass(frozen=True, kw_only=True)
class QualificationRefused(VerificationRefused):
    pass


@event("naming_verify_success", kind="naming_verified")
@dataclass(frozen=True, kw_only=True)
class NamingVerified(VerificationEvent):
    pass


@event("naming_verify_fail", kind="naming_refused")
@dataclass(frozen=True, kw_only=True)
class NamingRefused(VerificationRefused):
    pass


@event("annual_renew")
@dataclass(frozen=True, kw_only=True)
class RenewalDue(VerificationEvent):
    pass


@event("verify_expired")
@dataclass(frozen=True, kw_only=True)
class VerificationExpired(VerificationEvent):
    pass


# Known when all classes above are entered.
KINDS_THAT_OPEN_A_WINDOW = frozenset(
    kind.kind for kind in KINDS.values() if kind.opens_event_window
)
