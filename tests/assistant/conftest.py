from __future__ import annotations

import pytest

from assistant import pipeline
from assistant.answers import Question
from common.text import Words
from knowledge.models import FAQ
from llm import gateway
from tests.assistant.asking import Ask, NeedsIt
from tests.faqs import INVOICE, RETURNS, SHIPPING
from wechat.models import OfficialAccount


@pytest.fixture
def account(db: None) -> OfficialAccount:
    return OfficialAccount.objects.create(
        slug="shop", name="小店", app_id="wx1234567890", token="abcdef"
    )


@pytest.fixture
def shop(account: OfficialAccount) -> dict[str, FAQ]:
    """A small knowledge base, big enough for words to have weight."""
    others = [
        ("会员积分如何兑换", "在会员中心兑换。"),
        ("可以货到付款吗", "暂不支持货到付款。"),
        ("门店地址在哪里", "本店在上海市南京路。"),
        ("忘记密码如何处理", "在登录页点「忘记密码」。"),
    ]
    rows = [
        FAQ.objects.create(question=question, answer=text)
        for question, text in [RETURNS, INVOICE, SHIPPING, *others]
    ]
    return {row.question: row for row in rows}


@pytest.fixture
def ask(account: OfficialAccount) -> Ask:
    return Ask(account)


@pytest.fixture
def surely_needs_model(account: OfficialAccount) -> NeedsIt:
    def needs_it(text: str) -> bool:
        return pipeline.surely_needs_model(Question(Words(text), account.pk, session_id=""))

    return needs_it


@pytest.fixture
def model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: True)


@pytest.fixture
def no_model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: False)
