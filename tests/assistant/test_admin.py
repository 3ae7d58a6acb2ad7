from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from assistant.models import AnswerLog, BlockedTerm, Direction, Source
from assistant.screening import blocked_term
from wechat.models import OfficialAccount

TERMS = reverse("admin:assistant_blockedterm_changelist")
ADD_MANY = reverse("admin:assistant_blockedterm_add_many")

pytestmark = pytest.mark.django_db


def add_many(client: Client, terms: str) -> str:
    response = client.post(ADD_MANY, {"terms": terms, "direction": "both", "_form_submitted": "on"})
    return response.headers.get("HX-Redirect", "") or response.content.decode()


def test_it_adds_many_words_at_once_and_screens_by_them_at_once(
    admin_client: Client, django_capture_on_commit_callbacks: object
) -> None:
    BlockedTerm.objects.create(term="赌博", direction=Direction.IN)
    assert blocked_term("彩票", Direction.IN) is None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert add_many(admin_client, "赌博\n\n彩票 \n彩票\n六合彩") == TERMS
    assert set(BlockedTerm.objects.values_list("term", flat=True)) == {"赌博", "彩票", "六合彩"}
    assert BlockedTerm.objects.get(term="赌博").direction == Direction.IN
    assert blocked_term("买彩票", Direction.IN) == "彩票"


def test_it_names_the_lines_that_hold_no_word(admin_client: Client) -> None:
    page = add_many(admin_client, "彩票\n！！！")
    assert "！！！" in page
    assert not BlockedTerm.objects.exists()


@pytest.mark.parametrize("change", ["enable", "disable", "delete_selected"])
def test_it_screens_by_the_changed_rows_after_an_action(
    admin_client: Client, django_capture_on_commit_callbacks: object, change: str
) -> None:
    term = BlockedTerm.objects.create(term="彩票", enabled=change != "enable")
    before = blocked_term("彩票", Direction.IN)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        admin_client.post(TERMS, {"action": change, "_selected_action": [term.pk], "post": "yes"})
    after = blocked_term("彩票", Direction.IN)
    assert (before, after) == ((None, "彩票") if change == "enable" else ("彩票", None))


def test_it_screens_by_a_word_saved_by_hand(admin_client: Client, django_capture_on_commit_callbacks: object) -> None:
    assert blocked_term("彩票", Direction.IN) is None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        admin_client.post(
            reverse("admin:assistant_blockedterm_add"), {"term": "彩票", "direction": "both", "enabled": "on"}
        )
    assert blocked_term("彩票", Direction.IN) == "彩票"


def test_it_starts_a_persona_from_the_default_words(admin_client: Client, account: OfficialAccount) -> None:
    page = admin_client.get(reverse("admin:assistant_persona_add")).content.decode()
    assert "的在线客服" in page


def test_it_shows_the_answer_log_and_lets_nobody_change_it(admin_client: Client) -> None:
    entry = AnswerLog.objects.create(question="怎么退货", answer="7 天内", source=Source.FAQ, confidence=0.93)
    page = admin_client.get(reverse("admin:assistant_answerlog_changelist")).content.decode()
    assert "怎么退货" in page
    assert "93%" in page
    where = reverse("admin:assistant_answerlog_change", args=[entry.pk])
    assert admin_client.get(where).status_code == 200
    assert admin_client.post(where, {"question": "anders"}).status_code == 403
    assert admin_client.get(reverse("admin:assistant_answerlog_add")).status_code == 403
