from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from assistant.admin.answer_log import DOUBTS
from assistant.answers import Doubt
from assistant.models import AnswerLog, BlockedTerm, Direction, Source
from assistant.screening import blocked_term
from common.text import Words
from knowledge.models import FAQ
from llm.models import ModelCall
from tests.factories import ConversationFactory, MessageFactory
from wechat.models import OfficialAccount

TERMS = reverse("admin:assistant_blockedterm_changelist")
ADD_MANY = reverse("admin:assistant_blockedterm_add_many")

pytestmark = pytest.mark.django_db


def add_many(client: Client, terms: str) -> str:
    response = client.post(ADD_MANY, {"terms": terms, "direction": "both", "_form_submitted": "on"})
    return response.headers.get("HX-Redirect", "") or response.content.decode()


def test_it_adds_many_words_at_once_and_screens_by_them_at_once(
    admin_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    BlockedTerm.objects.create(term="赌博", direction=Direction.IN)
    assert blocked_term(Words("彩票"), Direction.IN) is None
    with django_capture_on_commit_callbacks(execute=True):
        assert add_many(admin_client, "赌博\n\n彩票 \n彩票\n六合彩") == TERMS
    assert set(BlockedTerm.objects.values_list("term", flat=True)) == {"赌博", "彩票", "六合彩"}
    assert BlockedTerm.objects.get(term="赌博").direction == Direction.IN
    assert blocked_term(Words("买彩票"), Direction.IN) == "彩票"


def test_it_names_the_lines_that_hold_no_word(admin_client: Client) -> None:
    page = add_many(admin_client, "彩票\n！！！")
    assert "！！！" in page
    assert not BlockedTerm.objects.exists()


@pytest.mark.parametrize("change", ["enable", "disable", "delete_selected"])
def test_it_screens_by_the_changed_rows_after_an_action(
    admin_client: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    change: str,
) -> None:
    term = BlockedTerm.objects.create(term="彩票", enabled=change != "enable")
    before = blocked_term(Words("彩票"), Direction.IN)
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(TERMS, {"action": change, "_selected_action": [term.pk], "post": "yes"})
    after = blocked_term(Words("彩票"), Direction.IN)
    assert (before, after) == ((None, "彩票") if change == "enable" else ("彩票", None))


def test_it_screens_by_a_word_saved_by_hand(
    admin_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert blocked_term(Words("彩票"), Direction.IN) is None
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(
            reverse("admin:assistant_blockedterm_add"),
            {"term": "彩票", "direction": "both", "enabled": "on"},
        )
    assert blocked_term(Words("彩票"), Direction.IN) == "彩票"


def test_it_starts_a_persona_from_the_default_words(
    admin_client: Client, account: OfficialAccount
) -> None:
    page = admin_client.get(reverse("admin:assistant_persona_add")).content.decode()
    assert "的在线客服" in page


def test_it_shows_the_answer_log_and_lets_nobody_change_it(admin_client: Client) -> None:
    entry = AnswerLog.objects.create(
        question="怎么退货", answer="7 天内", source=Source.FAQ, confidence=0.93
    )
    page = admin_client.get(reverse("admin:assistant_answerlog_changelist")).content.decode()
    assert "怎么退货" in page
    assert "93%" in page
    where = reverse("admin:assistant_answerlog_change", args=[entry.pk])
    assert admin_client.get(where).status_code == 200
    assert admin_client.post(where, {"question": "anders"}).status_code == 403
    assert admin_client.get(reverse("admin:assistant_answerlog_add")).status_code == 403


def test_an_answer_is_told_in_words_in_the_list_its_filters_and_on_its_page(
    admin_client: Client,
) -> None:
    faq = FAQ.objects.create(question="怎么退货", answer="七天内可退。")
    entry = AnswerLog.objects.create(
        question="退货",
        source=Source.FAQ,
        doubt="model_unsure",
        confidence=0.87,
        faq_id=faq.pk,
        milliseconds=430,
    )
    listed = admin_client.get(reverse("admin:assistant_answerlog_changelist")).content.decode()
    for words in ("模型无法回答", "模型繁忙", "87%", "430 毫秒"):
        assert words in listed
    page = admin_client.get(
        reverse("admin:assistant_answerlog_change", args=[entry.pk])
    ).content.decode()
    for words in (
        "模型无法回答",
        "87%",
        "430 毫秒",
        reverse("admin:knowledge_faq_change", args=[faq.pk]),
    ):
        assert words in page
    assert "model_unsure" not in page


def test_answers_are_filtered_by_doubt_and_every_doubt_has_words(admin_client: Client) -> None:
    assert set(DOUBTS) == {doubt.value for doubt in Doubt}
    for doubt in Doubt:
        AnswerLog.objects.create(question="退货", source=Source.NONE, doubt=doubt.value)
    page = admin_client.get(
        reverse("admin:assistant_answerlog_changelist"), {"doubt": "model_down"}
    )
    assert page.context["cl"].result_count == 1


def test_an_answer_leads_to_what_it_was_given_to_and_to_the_calls_made_for_it(
    admin_client: Client,
) -> None:
    message = MessageFactory(conversation=ConversationFactory())
    entry = AnswerLog.objects.create(
        question="退货",
        source=Source.MODEL,
        message_id=message.pk,
        conversation_id=message.conversation_id,
    )
    where = reverse("admin:assistant_answerlog_change", args=[entry.pk])
    message_page = reverse("admin:conversations_message_change", args=[message.pk])
    calls = f"{reverse('admin:llm_modelcall_changelist')}?key=message%3A{message.pk}"
    page = admin_client.get(where).content.decode()
    assert message_page in page
    assert (
        reverse("admin:conversations_conversation_change", args=[message.conversation_id]) in page
    )
    assert calls in page
    message.delete()
    page = admin_client.get(where).content.decode()
    assert message_page not in page
    assert "已删除" in page


def test_the_calls_made_for_a_message_are_listed_by_its_key(admin_client: Client) -> None:
    for key in ("message:1", "message:12"):
        ModelCall.objects.create(model="small", outcome="ok", key=key)
    calls = admin_client.get(reverse("admin:llm_modelcall_changelist"), {"key": "message:1"})
    assert [call.key for call in calls.context["cl"].result_list] == ["message:1"]


def test_an_answer_from_a_faq_that_is_gone_says_so(admin_client: Client) -> None:
    entry = AnswerLog.objects.create(question="退货", source=Source.FAQ, faq_id=404)
    page = admin_client.get(
        reverse("admin:assistant_answerlog_change", args=[entry.pk])
    ).content.decode()
    assert "已删除" in page
