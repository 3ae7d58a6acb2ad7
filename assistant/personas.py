"""Who the assistant is: the text that opens every model call."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from assistant.models import Persona
from common.fresh import Fresh
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


def prompt_for(account_id: int) -> str:
    """The account's own persona, or the default. Not `format`: an editor may write braces."""
    prompt = own_prompts.get().get(account_id) or default_prompt()
    return prompt.replace(NAME, accounts.by_id(account_id).name)


def _read() -> dict[int, str]:
    return dict(Persona.objects.values_list("account_id", "prompt"))


own_prompts = Fresh(_read, of="the accounts' own personas", every=FRESH_SECONDS)
