"""The admin's look and its side menu, ordered by job and not by package."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

lazy_static = lazy(static, str)
lazy_capfirst = lazy(capfirst, str)


def _page(title: Any, icon: str, name: str, permission: str = "") -> dict[str, Any]:
    """One entry; seen by those who may see the page."""
    app, model = name.split(".") if "." in name else ("", "")
    link = reverse_lazy(f"admin:{app}_{model}_changelist") if app else reverse_lazy(name)
    entry: dict[str, Any] = {"title": lazy_capfirst(title), "icon": icon, "link": link}
    needed = permission or (f"{app}.view_{model}" if app else "")
    if needed:
        entry["permission"] = lambda request: request.user.has_perm(needed)
    return entry


NAVIGATION = [
    {"items": [_page(_("今日概况"), "dashboard", "admin:index")]},
    {
        "title": _("知识库"),
        "separator": True,
        "items": [
            _page(pgettext_lazy("many", "FAQ"), "quiz", "knowledge.faq"),
            _page(pgettext_lazy("many", "分类"), "category", "knowledge.category"),
            _page(pgettext_lazy("many", "答案缓存"), "cached", "knowledge.cachedanswer"),
            _page(pgettext_lazy("many", "同义词"), "sync_alt", "knowledge.synonymrule"),
        ],
    },
    {
        "title": _("会话与工单"),
        "separator": True,
        "items": [
            _page(
                pgettext_lazy("many", "工单"), "support_agent", "desk:queue", "tickets.view_ticket"
            ),
            _page(pgettext_lazy("many", "会话"), "forum", "conversations.conversation"),
            _page(pgettext_lazy("many", "客户"), "group", "conversations.customer"),
            _page(pgettext_lazy("many", "客户消息"), "inbox", "conversations.message"),
            _page(pgettext_lazy("many", "回复"), "outbox", "conversations.reply"),
        ],
    },
    {
        "title": _("模型与助手"),
        "separator": True,
        "items": [
            _page(pgettext_lazy("many", "语言模型"), "neurology", "llm.languagemodel"),
            _page(pgettext_lazy("many", "模型调用"), "receipt_long", "llm.modelcall"),
            _page(pgettext_lazy("many", "人设"), "face", "assistant.persona"),
            _page(pgettext_lazy("many", "敏感词"), "block", "assistant.blockedterm"),
            _page(pgettext_lazy("many", "回答记录"), "fact_check", "assistant.answerlog"),
        ],
    },
    {
        "title": _("公众号与设置"),
        "separator": True,
        "items": [
            _page(pgettext_lazy("many", "公众号"), "chat", "wechat.officialaccount"),
            _page(
                pgettext_lazy("many", "机器人用语"), "record_voice_over", "conversations.bottext"
            ),
            _page(pgettext_lazy("many", "客服人员"), "badge", "tickets.agent"),
            _page(pgettext_lazy("many", "用户"), "person", "auth.user"),
            _page(pgettext_lazy("many", "用户组"), "groups", "auth.group"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "wechatbot",
    "SITE_HEADER": "wechatbot",
    "SITE_SUBHEADER": _("微信智能客服"),
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lazy_static("common/icon.svg")}
    ],
    "LOGIN": {"form": "wechatbot.login.form.LoginForm"},
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "wechatbot.front_page.fill",
    "STYLES": [lazy_static("common/tokens.css"), lazy_static("common/admin.css")],
    "SCRIPTS": [lazy_static("common/theme.js"), lazy_static("common/admin.js")],
    # The greys and the accent of static/common/tokens.css in unfold's eleven shades.
    "COLORS": {
        "base": {
            "50": "oklch(98.5% 0.002 165)",
            "100": "oklch(96.6% 0.003 165)",
            "200": "oklch(91.5% 0.006 165)",
            "300": "oklch(84.5% 0.01 165)",
            "400": "oklch(69% 0.014 165)",
            "500": "oklch(54.5% 0.016 165)",
            "600": "oklch(44% 0.016 165)",
            "700": "oklch(36.5% 0.016 165)",
            "800": "oklch(27.5% 0.014 165)",
            "900": "oklch(20.5% 0.012 165)",
            "950": "oklch(14.5% 0.01 165)",
        },
        "primary": {
            "50": "oklch(97.5% 0.015 167)",
            "100": "oklch(94.5% 0.03 167)",
            "200": "oklch(89.5% 0.055 167)",
            "300": "oklch(82% 0.085 167)",
            "400": "oklch(71% 0.11 166)",
            "500": "oklch(64% 0.11 165)",
            "600": "oklch(51.5% 0.1 165)",
            "700": "oklch(44% 0.085 165)",
            "800": "oklch(37% 0.07 166)",
            "900": "oklch(31.5% 0.058 167)",
            "950": "oklch(22% 0.042 168)",
        },
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": NAVIGATION},
}
