"""What stands in the cells of the admin's lists: long texts cut, times as people say them, the
whole on hover.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import Field, Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NOTHING = "—"
CUT_AT = 40
DAY = timedelta(days=1)
MINUTE, HOUR = 60, 3600

Column = Callable[[Any], SafeString | str]


def cut(text: str, at: int = CUT_AT) -> SafeString | str:
    """A long text in one table cell, whole on hover."""
    if not text:
        return NOTHING
    return format_html(
        '<span title="{}">{}</span>', text, text if len(text) <= at else f"{text[: at - 1]}…"
    )


def seconds(milliseconds: int | None) -> SafeString | str:
    """A short span, as it is compared in a column."""
    if milliseconds is None:
        return NOTHING
    words = (
        _("%.1f 秒") % (milliseconds / 1000)
        if milliseconds >= 1000
        else _("%d 毫秒") % milliseconds
    )
    return format_html('<span class="whole">{}</span>', words)


def moment(at: datetime | None) -> SafeString | str:
    """Relative under a day, before or ahead; the exact time in Beijing on hover."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    words = _distance(at - timezone.now()) or f"{local:%Y-%m-%d %H:%M}"
    exact = f"{local:%Y-%m-%d %H:%M:%S}"
    return format_html(
        '<time class="whole" datetime="{}" title="{}">{}</time>', local.isoformat(), exact, words
    )


def _distance(span: timedelta) -> str:
    """Empty where the distance says less than the date."""
    if abs(span) >= DAY:
        return ""
    away = int(abs(span).total_seconds())
    is_past = span < timedelta()
    if away < MINUTE:
        return _("刚刚") if is_past else _("马上")
    if away < HOUR:
        count = away // MINUTE
        past, ahead = (
            ngettext("%d 分钟前", "%d 分钟前", count),
            ngettext("%d 分钟后", "%d 分钟后", count),
        )
    else:
        count = away // HOUR
        past, ahead = (
            ngettext("%d 小时前", "%d 小时前", count),
            ngettext("%d 小时后", "%d 小时后", count),
        )
    return (past if is_past else ahead) % count


def link_by_key(model: type[Model], key: int | None) -> SafeString | str:
    """To the row that a log names by a plain key: it may be gone."""
    if key is None:
        return NOTHING
    row = model._default_manager.filter(pk=key).first()
    return _("已删除") if row is None else _link(_page(model, "change", key), str(row))


def link_to_list(model: type[Model], words: str, **asked: Any) -> SafeString:
    """To the rows of a list that have these values."""
    return _link(f"{_page(model, 'changelist')}?{urlencode(asked)}", words)


def _page(model: type[Model], page: str, *keys: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=keys)


def _link(address: str, words: str) -> SafeString:
    return format_html('<a href="{}" class="text-link">{}</a>', address, words)


def moment_of(model: type[Model], name: str) -> Column:
    """The column of a list for a time of its rows."""
    return _column(model, name, lambda row: moment(getattr(row, name)))


def cut_of(
    model: type[Model], name: str, at: int = CUT_AT, words: Callable[[str], str] = str
) -> Column:
    """The column of a list for a text that may be long; `words` says it
    in the reader's language.
    """
    return _column(model, name, lambda row: cut(words(getattr(row, name)), at))


def _column(model: type[Model], name: str, cell: Column) -> Column:
    """What Django's admin wants to know of a function in `list_display`."""
    cell.__name__ = name
    cell.short_description = cast(Field, model._meta.get_field(name)).verbose_name  # type: ignore[attr-defined]
    cell.admin_order_field = name  # type: ignore[attr-defined]
    return cell
