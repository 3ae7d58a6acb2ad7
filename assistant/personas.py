"""Who the assistant is: the text that opens every model call."""

from __future__ import annotations

import time

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from assistant.models import Persona
from common.database_threads import database_work
from wechat import accounts

_DEFAULT_PROMPT = _(
    "你是「{name}」的在线客服，在微信里直接回复客户。\n"
    "说话简短、礼貌、平实，称呼客户为「您」，先给结论，再给必要的步骤。\n"
    "不用感叹号，不用表情符号，不说「亲」，不责怪客户，不提及自己是模型。"
)
NAME = "{name}"


def default_prompt() -> str:
    """In the installation's language: customers' language does not depend on
    who reads the admin.
    """
    with override(settings.LANGUAGE_CODE):
        return str(_DEFAULT_PROMPT)


# An editor's change is heard this many seconds later in every process, without a query for each
# question.
FRESH_SECONDS = 5.0
_own_prompts: dict[int, str] = {}
_read_at = float("-inf")


def prompt_for(account_id: int) -> str:
    """The account's own persona, or the default. Not `format`: an editor may write braces."""
    if time.monotonic() - _read_at > FRESH_SECONDS:
        _read()
    return (_own_prompts.get(account_id) or default_prompt()).replace(
        NAME, accounts.by_id(account_id).name
    )


@database_work
def _read() -> None:
    global _own_prompts, _read_at
    _own_prompts = dict(Persona.objects.values_list("account_id", "prompt"))
    _read_at = time.monotonic()


def forget() -> None:
    """Read the rows again at the next question (one was just saved here; tests)."""
    global _read_at
    _read_at = float("-inf")
