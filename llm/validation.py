"""What makes an endpoint usable: the same rules for rows of the admin and for the environment."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def endpoint_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  It raises when it is no number.
    except ValueError:
        raise ValidationError(_("不是有效的网址。")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
        raise ValidationError(_("请填写以 http:// 或 https:// 开头的网址。"))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError(_("网址中不能包含密码、参数或 #，密钥请填在 API Key 中。"))
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise ValidationError(_("请去掉结尾的 /chat/completions。"))


def header_value(key: str) -> None:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValidationError(_("API Key 只能包含英文字母、数字和符号，不能有空格或换行。"))
