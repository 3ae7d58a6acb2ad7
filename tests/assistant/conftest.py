from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant import screening
from assistant.answers import Answer, Question
from assistant.pipeline import Model, answer
from conversations import texts
from knowledge import matching
from knowledge.models import FAQ
from llm import gateway
from wechat.models import OfficialAccount

RETURNS = ("怎么申请退货", "签收后 7 天内可以在订单页申请退货。")
INVOICE = ("发票怎么开", "下单时勾选「需要发票」即可。")
SHIPPING = ("多久可以发货", "付款后 48 小时内发货。")

Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Each test is a process that has read nothing yet."""
    screening.forget()
    matching.forget()
    texts.forget_own_words()


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
    def ask_it(text: str, *, model: Model | None = None, **more: object) -> Answer:
        return answer(Question(text, account_id=account.pk, session_id="s1", **more), model=model)  # type: ignore[arg-type]

    return ask_it


@pytest.fixture
def model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: True)


@pytest.fixture
def no_model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: False)
