"""What the simulated WeChat keeps: the account's state there, its followers, their phones, the
wire, the tokens.

This is the other side. Nothing here is what *we* know about a customer: that is `conversations`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MESSAGE_SENDS, MESSAGE_WINDOW = 5, timedelta(hours=48)
EVENT_SENDS, EVENT_WINDOW = 3, timedelta(minutes=1)


class Mode(models.TextChoices):
    """How pushes are packed, as chosen in WeChat's console."""

    SAFE = "safe", _("安全模式")
    COMPATIBLE = "compatible", _("兼容模式")
    PLAIN = "plain", _("明文模式")


class Fault(models.TextChoices):
    """What can go wrong between WeChat and us; each is a column of the account
    with the same name.
    """

    API_DOWN = "api_down", _("接口不可用（网关 503）")
    LOSE_API_ANSWER = "lose_api_answer", _("接口已执行，应答丢失")
    REFUSE_TOKEN = "refuse_token", _("下一次调用拒绝 token")
    SLOW_NETWORK = "slow_network", _("网络很慢（每个方向 1.5 秒）")
    DUPLICATE_DELIVERY = "duplicate_delivery", _("三次投递同时到达")
    LOSE_REPLY = "lose_reply", _("首次投递的应答丢失")


class SimulatedAccount(models.Model):
    """The account as WeChat sees it, and which faults the network between us has now."""

    app_id = models.CharField("AppID", max_length=64, unique=True)
    verified = models.BooleanField(_("已认证"), default=True)
    mode = models.CharField(_("消息加解密方式"), max_length=12, choices=Mode, default=Mode.SAFE)
    api_down = models.BooleanField(Fault.API_DOWN.label, default=False)
    lose_api_answer = models.BooleanField(Fault.LOSE_API_ANSWER.label, default=False)
    refuse_token = models.BooleanField(Fault.REFUSE_TOKEN.label, default=False)
    slow_network = models.BooleanField(Fault.SLOW_NETWORK.label, default=False)
    duplicate_delivery = models.BooleanField(Fault.DUPLICATE_DELIVERY.label, default=False)
    lose_reply = models.BooleanField(Fault.LOSE_REPLY.label, default=False)

    class Meta:
        verbose_name = _("模拟的公众号")
        verbose_name_plural = _("模拟的公众号")
        # Asked for by `simulator.access`, wherever a login is.
        permissions = [("use_simulator", "使用模拟器")]

    def __str__(self) -> str:
        return self.app_id

    @classmethod
    def current(cls) -> SimulatedAccount:
        return cls.objects.get_or_create(app_id=settings.WECHAT_APP_ID)[0]

    def refuse_token_once(self) -> bool:
        """Whether this very call is the one to refuse: the switch turns itself off for one caller
        only.
        """
        if not self.refuse_token:
            return False
        return bool(
            type(self).objects.filter(pk=self.pk, refuse_token=True).update(refuse_token=False)
        )


class AccessToken(models.Model):
    """`valid_until` is sooner than `expires_at` when a newer token has taken its place."""

    class Endpoint(models.TextChoices):
        NORMAL = "token"
        STABLE = "stable_token"

    value = models.CharField(max_length=200, unique=True)
    endpoint = models.CharField(max_length=12, choices=Endpoint)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    valid_until = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("模拟的接口凭证")

    def __str__(self) -> str:
        return f"{self.endpoint} {self.value[:8]}…"


class WindowClosed(Exception):
    """The customer has done nothing lately that lets the account write to them (45015)."""


class QuotaUsedUp(Exception):
    """A window is open, but its messages are spent (45047)."""


class Follower(models.Model):
    """A person with a phone. Two reply windows, because they overlap: see `take_send`."""

    openid = models.CharField("OpenID", max_length=64, unique=True)
    name = models.CharField(_("名字"), max_length=30)
    following = models.BooleanField(_("已关注"), default=False)
    message_sends_left = models.PositiveSmallIntegerField(default=0)
    message_window_until = models.DateTimeField(null=True)
    event_sends_left = models.PositiveSmallIntegerField(default=0)
    event_window_until = models.DateTimeField(null=True)
    last_exchange_at = models.DateTimeField(null=True)
    typing_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("模拟的客户")
        verbose_name_plural = _("模拟的客户")
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.name

    def open_message_window(self, now: datetime) -> None:
        """A message opens 5 sends in 48 h; a new one starts the count again."""
        self._save(
            message_sends_left=MESSAGE_SENDS,
            message_window_until=now + MESSAGE_WINDOW,
            last_exchange_at=now,
        )

    def open_event_window(self, now: datetime) -> None:
        """A follow, a menu click or a tap on a msgmenu link opens 3 sends in 1 min."""
        self._save(
            event_sends_left=EVENT_SENDS,
            event_window_until=now + EVENT_WINDOW,
            last_exchange_at=now,
        )

    def follow(self) -> None:
        self._save(following=True)

    def unfollow(self) -> None:
        self._save(
            following=False, message_window_until=None, event_window_until=None, typing_until=None
        )

    def take_send(self, now: datetime) -> None:
        """Use up one send, from the window that closes first. Conditional UPDATEs: two calls never
        share one.
        """
        mine = Follower.objects.filter(pk=self.pk)
        from_event = mine.filter(event_window_until__gt=now, event_sends_left__gt=0)
        from_message = mine.filter(message_window_until__gt=now, message_sends_left__gt=0)
        if from_event.update(event_sends_left=F("event_sends_left") - 1):
            return
        if from_message.update(message_sends_left=F("message_sends_left") - 1):
            return
        raise QuotaUsedUp if self.has_open_window(now) else WindowClosed

    def has_open_window(self, now: datetime) -> bool:
        return any(
            until and until > now for until in (self.message_window_until, self.event_window_until)
        )

    def _save(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=list(fields))


class Side(models.TextChoices):
    CUSTOMER = "customer", _("客户")
    ACCOUNT = "account", _("公众号")
    NOTICE = "notice", _("提示")


class Bubble(models.Model):
    """One thing that the phone shows, as the person holding it sees it."""

    follower = models.ForeignKey(Follower, models.CASCADE, related_name="bubbles")
    side = models.CharField(max_length=10, choices=Side)
    kind = models.CharField(max_length=20, default="text")
    text = models.TextField(blank=True)
    channel = models.CharField(max_length=8, blank=True)
    ai_generated = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("模拟的对话")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:30] or self.kind


class Outcome(models.TextChoices):
    PENDING = "pending", _("等待应答")
    REPLIED = "replied", _("已回复")
    SUCCESS = "success", _("已收到")
    TIMED_OUT = "timed_out", _("5 秒无应答，断开")
    NOT_REACHED = "not_reached", _("连接失败")
    REFUSED = "refused", _("被拒绝")
    UNREADABLE = "unreadable", _("应答无法解析")
    LOST = "lost", _("应答丢失")
    OK = "ok", _("成功")
    ERROR = "error", _("微信返回错误")


class Exchange(models.Model):
    """One request and its answer as they went over the wire: a delivery of a push, or a call of the
    API.
    """

    class Kind(models.TextChoices):
        PUSH = "push", _("推送")
        API = "api", _("接口")

    follower = models.ForeignKey(Follower, models.CASCADE, null=True, related_name="exchanges")
    kind = models.CharField(max_length=4, choices=Kind)
    label = models.CharField(max_length=64)
    summary = models.CharField(max_length=80, blank=True)
    push_id = models.CharField(max_length=32, blank=True)
    delivery = models.PositiveSmallIntegerField(null=True)
    mode = models.CharField(max_length=12, blank=True)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=600)
    started_at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.PENDING)
    status = models.PositiveSmallIntegerField(null=True)
    errcode = models.IntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    request_clear = models.TextField(blank=True)
    request_wire = models.TextField(blank=True)
    response_wire = models.TextField(blank=True)
    response_clear = models.TextField(blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("模拟的收发记录")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.label} {self.outcome}"
