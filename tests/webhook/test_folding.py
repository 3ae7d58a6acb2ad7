"""A customer's words are folded once on their way, however many steps read them."""

from __future__ import annotations

from collections import Counter

import pytest

from assistant.models import BlockedTerm, Direction
from common import text as common_text
from common.text import Words
from conversations.models import Message
from conversations.turns import leases
from knowledge.retrieval import matching
from tests.factories import AccountFactory
from tests.faqs import RETURNS
from tests.webhook.builders import push
from tests.webhook.turns import UNKNOWN
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from webhook.answering import answer_conversation, answer_here
from webhook.intake import take_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "model_is_configured")]

# Each is read by several steps: the link, the screen, the wishes, the FAQs, small talk, the cache.
ASKED = {
    "an FAQ": RETURNS[0],
    "a wish": "我要退款，转人工",
    "nearly a wish": "人工费多少",
    "small talk": "你好！",
    "small talk with a face": "谢谢[玫瑰]",
    "a choice": "第一个",
    "the words of a link": "查看回复",
    "a question for the model": UNKNOWN,
}


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_in_hand", {})


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text was folded; the process has read its knowledge base and its terms
    before.
    """
    BlockedTerm.objects.create(term="彩票", direction=Direction.IN)
    matching.match(Words("先读一遍知识库"))
    counted: Counter[str] = Counter()
    fold_it = common_text.alike

    def alike(text: str) -> str:
        counted[text] += 1
        return fold_it(text)

    monkeypatch.setattr(common_text, "alike", alike)
    return counted


def pushed(text: str) -> Message:
    """As the callback stores it, after it has looked for a wish in it."""
    came = push(AccountFactory(), text, hold_until=None)
    take_in([came])
    return came.stored_message()


@pytest.mark.parametrize("text", ASKED.values(), ids=ASKED)
def test_the_web_process_folds_a_message_once(folded: Counter[str], text: str) -> None:
    answer_here(pushed(text))

    assert folded[text] == 1
    assert set(folded) <= {text, "彩票", RETURNS[1]}


def test_the_worker_folds_it_once_more_and_no_oftener(
    folded: Counter[str], wechat: ApiStub
) -> None:
    [(_, conversation_id)] = answer_here(pushed(UNKNOWN))
    folded.clear()

    answer_conversation(conversation_id, model=ModelStub("不支持。"))

    assert folded[UNKNOWN] == 1
