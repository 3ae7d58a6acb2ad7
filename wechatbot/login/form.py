"""The login of the admin: says how long to wait, and slows who guesses at one account."""

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm

from common.callers import client_address
from wechatbot.login.attempts import Attempt, attempt_of
from wechatbot.login.handler import refuse
from wechatbot.login.hashing import place_to_hash


class LoginForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not username or not password:
            return super().clean()
        attempt = attempt_of(username, client_address(self.request))
        self._stop_if_locked(attempt)
        time.sleep(attempt.pause())
        return self._ask(attempt)

    def _ask(self, attempt: Attempt) -> dict[str, Any]:
        """Look, hash and count in one place: of a hundred guesses at once two pass the look
        together, not all.
        """
        with place_to_hash():
            try:
                return super().clean()
            except ValidationError:
                self._stop_if_locked(attempt)
                raise

    def _stop_if_locked(self, attempt: Attempt) -> None:
        seconds = attempt.seconds_to_wait()
        if seconds:
            refuse(self.request, seconds)
            raise ValidationError(locked_words(seconds), code="locked")


def locked_words(seconds: int) -> str:
    return _("登录失败的次数太多。请等 {time}再试，或请管理员在服务器上解锁。").format(
        time=_in_words(seconds)
    )


def _in_words(seconds: int) -> str:
    if seconds <= 60:
        return ngettext("{count} 秒", "{count} 秒", seconds).format(count=seconds)
    minutes = -(-seconds // 60)
    return ngettext("{count} 分钟", "{count} 分钟", minutes).format(count=minutes)
