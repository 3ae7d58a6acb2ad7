"""What we know: questions with answers, other ways to ask them, and answers a model gave before."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# One text of WeChat holds 2,048 bytes; a longer answer goes out in parts.
COMFORTABLE_ANSWER_BYTES = 2000
LONGEST_WORDING = 200
LONGEST_CATEGORY = 60


class Category(models.Model):
    name = models.CharField(_("名称"), max_length=LONGEST_CATEGORY, unique=True)
    position = models.PositiveSmallIntegerField(_("排序"), default=0)

    class Meta:
        verbose_name = pgettext_lazy("one", "分类")
        verbose_name_plural = pgettext_lazy("many", "分类")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class FAQQuerySet(models.QuerySet["FAQ"]):
    def published(self) -> FAQQuerySet:
        return self.filter(enabled=True)

    def switch(self, *, enabled: bool) -> int:
        """Enable or disable these; returns how many were not so before. The knowledge version goes
        by their time.
        """
        return self.filter(enabled=not enabled).update(enabled=enabled, updated_at=timezone.now())


class FAQ(models.Model):
    question = models.CharField(_("问题"), max_length=LONGEST_WORDING)
    answer = models.TextField(
        _("答案"),
        help_text=_("建议 300 字以内。微信一条消息约可放 660 个汉字，更长的答案会分成几条发送。"),
    )
    category = models.ForeignKey(
        Category, models.SET_NULL, verbose_name=_("分类"), null=True, blank=True
    )
    enabled = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    objects = FAQQuerySet.as_manager()

    class Meta:
        verbose_name = "FAQ"
        verbose_name_plural = pgettext_lazy("many", "FAQ")

    def __str__(self) -> str:
        return self.question

    @property
    def fits_one_message(self) -> bool:
        return len(self.answer.encode()) <= COMFORTABLE_ANSWER_BYTES


class Phrasing(models.Model):
    """Another way to ask the same question."""

    faq = models.ForeignKey(FAQ, models.CASCADE, verbose_name="FAQ", related_name="phrasings")
    text = models.CharField(
        _("问法"),
        max_length=LONGEST_WORDING,
        # In an exported file it stands between two phrasings.
        validators=[
            RegexValidator(
                r"[|｜]", _("问法里不能有竖线 |，每个问法单独写一行。"), inverse_match=True
            )
        ],
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "相似问法")
        verbose_name_plural = pgettext_lazy("many", "相似问法")

    def __str__(self) -> str:
        return self.text


class SynonymRule(models.Model):
    """Words that mean the same in a question; matching reads all of them as the first."""

    words = models.CharField(
        _("同义词"), max_length=200, help_text=_("用空格分开，第一个为标准说法，如：怎么 如何 咋")
    )
    enabled = models.BooleanField(_("启用"), default=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "同义词")
        verbose_name_plural = pgettext_lazy("many", "同义词")

    def __str__(self) -> str:
        return self.words


class CachedAnswer(models.Model):
    """An answer that a model gave, kept for the next customer who asks the same.

    Valid for the knowledge version it was made under and until `expires_at`; a pinned (or edited)
    one stays valid.
    """

    question = models.CharField(_("问题"), max_length=500)
    # Digest of the folded question: equal on every database, whatever its collation takes for
    # equal.
    normalised = models.CharField(max_length=64, unique=True, editable=False)
    answer = models.TextField(_("答案"))
    knowledge_version = models.CharField(max_length=64, blank=True, editable=False)
    model_name = models.CharField(_("模型"), max_length=100, blank=True)
    pinned = models.BooleanField(_("固定"), default=False, help_text=_("知识库变动后仍然使用"))
    hits = models.PositiveIntegerField(_("命中次数"), default=0, editable=False)
    expires_at = models.DateTimeField(_("过期时间"))
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "答案缓存")
        verbose_name_plural = pgettext_lazy("many", "答案缓存")

    def __str__(self) -> str:
        return self.question

    def is_usable(self, *, knowledge_version: str, now: datetime) -> bool:
        return self.pinned or (
            self.knowledge_version == knowledge_version and self.expires_at > now
        )
