"""Spans of time, in words as people say them: two units are enough."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

# WeChat's reply window is told in hours, up to its 48.
HOURS_UNTIL_DAYS = 72


def in_words(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= HOURS_UNTIL_DAYS:
        return _("%(days)s 天 %(hours)s 小时") % {"days": hours // 24, "hours": hours % 24}
    if hours:
        return _("%(hours)s 小时 %(minutes)s 分") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s 分 %(seconds)s 秒") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s 秒") % {"seconds": seconds}
