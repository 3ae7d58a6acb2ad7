"""Who said what: customers, their conversations, the messages that came in and the replies that
went out.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cached_property

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.text import Words
from conversations.fields import IdField
from conversations.ids import new_id
from conversations.saying import moment_label
from wechat.incoming import Incoming, Unsupported
from wechat.kinds import kind_of, label_of
from wechat.models import OfficialAccount
from wechat.replies import without_links

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Customer(models.Model):
    """A follower of one account, with the ledger of what WeChat still lets us send to them.

    Two windows, because they overlap: 5 sends in 48 h after a message, 3 in 1 min after a menu
    click, a follow, a scan or a tap on a msgmenu item. WeChat's own refusals (45015, 45047) correct
    the ledger.
    """

    account = models.ForeignKey(
        OfficialAccount, models.PROTECT, verbose_name=_("公众号"), related_name="customers"
    )
    openid = IdField("OpenID", max_length=64)
    remark = models.CharField(_("备注名"), max_length=60, blank=True)
    subscribed = models.BooleanField(_("已关注"), default=True)
    created_at = models.DateTimeField(_("首次出现"), default=timezone.now)
    # When a model was first asked for this customer; empty: one of the new customers whose number a
    # minute is limited.
    let_in_at = models.DateTimeField(_("首次使用模型"), null=True, blank=True, editable=False)
    message_sends_left = models.PositiveSmallIntegerField(_("消息窗口剩余条数"), default=0)
    message_window_until = models.DateTimeField(_("消息窗口截止"), null=True)
    event_sends_left = models.PositiveSmallIntegerField(_("事件窗口剩余条数"), default=0)
    event_window_until = models.DateTimeField(_("事件窗口截止"), null=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "客户")
        verbose_name_plural = pgettext_lazy("many", "客户")
        constraints = [
            models.UniqueConstraint(fields=["account", "openid"], name="one_customer_per_openid")
        ]

    def __str__(self) -> str:
        return self.remark or f"{self.openid[:4]}…{self.openid[-4:]}"


class Owner(models.TextChoices):
    """Who serves the customer now."""

    BOT = "bot", _("机器人")
    QUEUE = "queue", _("等待人工")
    AGENT = "agent", _("人工")


class Conversation(models.Model):
    """The one chat with a customer. WeChat knows a single endless thread, and so do we.

    `owner_version` is the fence: a bot reply is written and sent only under the version it started
    with. The lease says which process answers the customer's messages now.
    """

    customer = models.OneToOneField(Customer, models.CASCADE, verbose_name=_("客户"))
    account = models.ForeignKey(OfficialAccount, models.PROTECT, verbose_name=_("公众号"))
    owner = models.CharField(_("接待方"), max_length=8, choices=Owner, default=Owner.BOT)
    owner_version = models.PositiveIntegerField(default=0)
    lease_holder = models.CharField(max_length=40, blank=True)
    # Never NULL, so that "free" is one comparison: the cheapest conditional UPDATE there is.
    lease_until = models.DateTimeField(default=LONG_AGO)
    receipt_at = models.DateTimeField(_("上次回执时间"), null=True)
    last_message_at = models.DateTimeField(_("最近消息"), null=True, db_index=True)
    last_reply_at = models.DateTimeField(_("最近回复"), null=True)
    created_at = models.DateTimeField(_("开始时间"), default=timezone.now)

    class Meta:
        verbose_name = pgettext_lazy("one", "会话")
        verbose_name_plural = pgettext_lazy("many", "会话")

    def __str__(self) -> str:
        return str(self.customer)

    @property
    def is_with_agent(self) -> bool:
        return self.owner == Owner.AGENT

    @property
    def session_id(self) -> str:
        """What a language model's provider sees of this conversation: stable, and says nothing
        about the customer.
        """
        return hashlib.sha256(f"conversation-{self.pk}-{self.account_id}".encode()).hexdigest()[:32]


class MessageState(models.TextChoices):
    RECEIVED = "received", _("已收到")
    ANSWERING = "answering", _("回答中")
    ANSWERED = "answered", _("已回答")
    HANDED_OVER = "handed_over", _("已转人工")
    IGNORED = "ignored", _("无需回答")


OPEN_STATES = (MessageState.RECEIVED, MessageState.ANSWERING)


class Hold(models.TextChoices):
    """Whether a delivery of this push stands open for the reply. Leaving
    is a conditional UPDATE.
    """

    NONE = "none", _("不等待")
    WAITING = "waiting", _("等待中")
    RELEASED = "released", _("已放行")


class Ending(models.TextChoices):
    """What the push was answered with over its own connection; a repeat gets the same again."""

    OPEN = "", _("未结束")
    SUCCESS = "success", _("success")
    TEXT = "text", _("文本")


class Message(models.Model):
    """One push of WeChat: a customer's message, or an event. Written flat by the callback, before
    it answers.
    """

    # The foreign keys have no index of their own: the unique key and the indexes below begin with
    # them.
    id = models.BigIntegerField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(
        OfficialAccount, models.PROTECT, verbose_name=_("公众号"), db_index=False
    )
    openid = IdField("OpenID", max_length=64)
    dedup_key = IdField(max_length=160)
    kind = models.CharField(_("类型"), max_length=32)
    text = models.TextField(_("内容"), blank=True)
    fields = models.JSONField(_("字段"), default=dict)
    raw = models.TextField(_("原文"), blank=True, help_text=_("仅保留看不懂的推送"))
    wants_human = models.BooleanField(_("要求人工"), default=False)
    sent_at = models.DateTimeField(_("客户发送时间"))
    received_at = models.DateTimeField(_("收到时间"))
    deliveries = models.PositiveSmallIntegerField(_("投递次数"), default=1)
    # What the proxy calls the request of the newest delivery. It may try several web processes with
    # one.
    request_id = models.BigIntegerField(null=True, editable=False)

    conversation = models.ForeignKey(
        Conversation,
        models.CASCADE,
        verbose_name=_("会话"),
        null=True,
        related_name="messages",
        db_index=False,
    )
    state = models.CharField(
        _("状态"), max_length=12, choices=MessageState, default=MessageState.RECEIVED
    )
    attempt = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    # The turn that ended it: a COMMIT whose OK was lost is known by it.
    ended_by = models.CharField(
        max_length=40, blank=True, default="", db_default="", editable=False
    )
    queued_at = models.DateTimeField(null=True)
    hold = models.CharField(max_length=8, choices=Hold, default=Hold.NONE)
    hold_until = models.DateTimeField(null=True)
    ended_with = models.CharField(
        _("推送应答"), max_length=8, choices=Ending, default=Ending.OPEN, blank=True
    )
    passive_text = models.TextField(_("被动回复内容"), blank=True)
    note = models.CharField(_("备注"), max_length=200, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "客户消息")
        verbose_name_plural = pgettext_lazy("many", "客户消息")
        constraints = [
            models.UniqueConstraint(fields=["account", "dedup_key"], name="one_message_per_push")
        ]
        indexes = [
            models.Index(fields=["state", "received_at"], name="message_by_state"),
            models.Index(fields=["conversation", "state"], name="message_by_conversation"),
            # The admin's list and its spans of time; a conversation as it was said.
            models.Index(fields=["received_at"], name="message_by_time"),
            models.Index(fields=["conversation", "received_at"], name="message_in_conversation"),
        ]

    def __str__(self) -> str:
        return self.text[:30] or label_of(self.kind)

    @cached_property
    def push(self) -> Incoming:
        """What WeChat pushed, as the parser understood it; only `to` is not kept. Of a kind that
        this version does not know: what every kind has.
        """
        kind = kind_of(self.kind)
        prefix = f"{self.openid}:"
        has_id = self.dedup_key.startswith(prefix)
        return kind.from_stored(
            self.fields,
            openid=self.openid,
            to="",
            created=int(self.sent_at.timestamp()),
            msg_id=self.dedup_key.removeprefix(prefix) if has_id else "",
            text=self.text,
            raw=self.raw if kind is Unsupported else "",
        )

    @cached_property
    def words(self) -> Words:
        """The text with its readings, each of them worked out once on the message's way."""
        return Words(self.text)


class Author(models.TextChoices):
    BOT = "bot", _("机器人")
    AGENT = "agent", _("客服")
    SYSTEM = "system", _("系统")


class ReplyState(models.TextChoices):
    READY = "ready", _("待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("已发送")
    WAITING_FOR_CUSTOMER = "waiting", _("等客户下一条消息")
    WITHDRAWN = "withdrawn", _("已撤回")
    UNKNOWN = "unknown", _("结果未知")
    FAILED = "failed", _("发送失败")


UNSENT_STATES = (ReplyState.READY, ReplyState.WAITING_FOR_CUSTOMER)


class Channel(models.TextChoices):
    NONE = "", "—"
    PASSIVE = "passive", _("被动回复")
    API = "api", _("客服接口")


# Of the draft that an agent's page was served with.
DRAFT_KEY_LENGTH = 32


class ReplyQuerySet(models.QuerySet["Reply"]):
    def unsent(self) -> ReplyQuerySet:
        return self.filter(state__in=UNSENT_STATES)

    def waiting_for_customer(self) -> ReplyQuerySet:
        return self.filter(state=ReplyState.WAITING_FOR_CUSTOMER)


class Reply(models.Model):
    """One text that goes to the customer: a part of the bot's answer, an agent's words, a word of
    the system.

    The parts that answer one message are one set, written once: `(message, part)` is unique. An
    agent's own text answers no single message, so its `message` is empty; it is written once for
    its draft: `(draft_key, part)` is unique.
    """

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, verbose_name=_("会话"), related_name="replies", db_index=False
    )
    message = models.ForeignKey(
        Message,
        models.CASCADE,
        verbose_name=_("回答的消息"),
        null=True,
        related_name="replies",
        db_index=False,
    )
    draft_key = IdField(max_length=DRAFT_KEY_LENGTH, null=True, editable=False)
    part = models.PositiveSmallIntegerField(_("第几段"), default=1)
    author = models.CharField(_("作者"), max_length=8, choices=Author)
    agent_name = models.CharField(_("客服"), max_length=60, blank=True)
    source = models.CharField(_("来源"), max_length=16, blank=True)
    options = models.JSONField(_("可选问题"), default=list, blank=True)
    owner_version = models.PositiveIntegerField(null=True)
    text = models.TextField(_("内容"))
    state = models.CharField(_("状态"), max_length=12, choices=ReplyState, default=ReplyState.READY)
    channel = models.CharField(
        _("通道"), max_length=8, choices=Channel, default=Channel.NONE, blank=True
    )
    tries = models.PositiveSmallIntegerField(_("发送次数"), default=0)
    due_at = models.DateTimeField(_("应发时间"), default=timezone.now)
    # When the sweep last handed it on: whoever has it may just be slow.
    queued_at = models.DateTimeField(null=True, editable=False)
    # Whose SENDING row this is, and until when. `begun_at`: its call to WeChat has begun; only of
    # such a row the outcome may be unknown.
    claim = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    lease_until = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("写入时间"), default=timezone.now)
    sent_at = models.DateTimeField(_("发送时间"), null=True)
    reason = models.CharField(_("原因"), max_length=200, blank=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("one", "回复")
        verbose_name_plural = pgettext_lazy("many", "回复")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "part"], name="one_set_of_parts_per_message"
            ),
            models.UniqueConstraint(
                fields=["draft_key", "part"], name="one_set_of_parts_per_draft"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="reply_by_state"),
            models.Index(fields=["conversation", "state"], name="reply_by_conversation"),
            models.Index(fields=["created_at"], name="reply_by_time"),
            models.Index(fields=["conversation", "created_at"], name="reply_in_conversation"),
        ]

    def __str__(self) -> str:
        return without_links(self.text)[:30]


class BotText(models.Model):
    """What the bot says at one moment, where an account wants other words than the default."""

    account = models.ForeignKey(OfficialAccount, models.CASCADE, verbose_name=_("公众号"))
    moment = models.CharField(_("场合"), max_length=32)
    text = models.TextField(_("文字"))

    class Meta:
        verbose_name = pgettext_lazy("one", "机器人用语")
        verbose_name_plural = pgettext_lazy("many", "机器人用语")
        constraints = [
            models.UniqueConstraint(fields=["account", "moment"], name="one_text_per_moment")
        ]

    def __str__(self) -> str:
        return moment_label(self.moment)
