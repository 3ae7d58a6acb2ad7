"""The editors' pages."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.redis import redis
from common.text import Words
from knowledge import cache
from knowledge.exchange import uploads
from knowledge.models import FAQ, CachedAnswer, Category, SynonymRule
from knowledge.versions import CHANGES_KEY, knowledge_version
from tests.knowledge.builders import make_faq


def page(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(f"admin:knowledge_{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def faq_form(*phrasings: str, **values: str) -> dict[str, str]:
    form = {
        **{"question": "怎么退货", "answer": "七天内可退。", "category": "", "enabled": "on"},
        **{"phrasings-TOTAL_FORMS": str(len(phrasings)), "phrasings-INITIAL_FORMS": "0"},
        **{f"phrasings-{index}-text": text for index, text in enumerate(phrasings)},
    }
    return {**form, **values}


def add_faq(client: Client, *phrasings: str, **values: str) -> HttpResponse:
    return client.post(
        reverse("admin:knowledge_faq_add"), faq_form(*phrasings, **values), follow=True
    )


def run_action(client: Client, model: str, action: str, rows: list[Any]) -> str:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(
        reverse(f"admin:knowledge_{model}_changelist"), chosen, follow=True
    ).content.decode()


@pytest.fixture
def cached(db: None) -> CachedAnswer:
    cache.keep(
        Words("支持货到付款吗"),
        "暂不支持。",
        model_name="some-model",
        knowledge_version=knowledge_version(),
    )
    return CachedAnswer.objects.get()


@pytest.mark.parametrize("model", ["category", "faq", "synonymrule", "cachedanswer"])
def test_empty_lists_and_forms_are_there_in_chinese(admin_client: Client, model: str) -> None:
    SynonymRule.objects.all().delete()
    html = page(admin_client, f"{model}_changelist")

    assert 'lang="zh-hans"' in html
    if model != "cachedanswer":
        assert page(admin_client, f"{model}_add")


def test_the_list_shows_what_an_editor_decides_by(admin_client: Client) -> None:
    make_faq("怎么退货", "我要退货", "不想要了", answer="七天内可退。" * 40)

    html = page(admin_client, "faq_changelist")

    for words in ("问题", "答案", "分类", "问法数", "启用", "更新时间", "怎么退货"):
        assert words in html
    assert 'title="' + "七天内可退。" * 40 in html
    assert "七天内可退。" * 40 + "</span>" not in html


@pytest.mark.parametrize("words", ["怎么退货", "我要退", "七天"])
def test_the_search_looks_into_questions_answers_and_phrasings(
    admin_client: Client, words: str
) -> None:
    make_faq("怎么退货", "我要退货", "我要退钱", answer="七天内可退。")
    make_faq("怎么开发票", answer="付款后申请。")

    html = page(admin_client, "faq_changelist", q=words)

    assert html.count("七天内可退。</span>") == 1
    assert "付款后申请。" not in html


def test_the_list_is_filtered_by_category_and_enabled(admin_client: Client) -> None:
    category = Category.objects.create(name="售后")
    FAQ.objects.create(question="怎么退货", answer="七天内可退。", category=category)
    make_faq("怎么开发票", answer="付款后申请。", enabled=False)

    assert "付款后申请。" not in page(
        admin_client, "faq_changelist", category__id__exact=str(category.pk)
    )
    assert "七天内可退。" not in page(admin_client, "faq_changelist", enabled__exact="0")


def test_a_faq_is_saved_with_its_phrasings_and_all_processes_are_told(
    admin_client: Client, django_capture_on_commit_callbacks: Callable
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        add_faq(admin_client, "我要退货", "不想要了", "")

    faq = FAQ.objects.get()
    assert set(faq.phrasings.values_list("text", flat=True)) == {"我要退货", "不想要了"}
    assert redis().get(CHANGES_KEY) == b"1"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("", "这个字段是必填项"),
        ("？！", "请用文字写出问题"),
        ("门店在哪里？", "「门店在哪里？」与已有的 FAQ「门店在哪里」重复。"),
        ("店铺地址", "「店铺地址」与已有的 FAQ「门店在哪里」重复。"),
    ],
)
def test_an_empty_or_known_question_is_refused_with_a_reason(
    admin_client: Client, question: str, reason: str
) -> None:
    make_faq("门店在哪里", "店铺地址")

    html = add_faq(admin_client, question=question).content.decode()

    assert reason in html
    assert FAQ.objects.count() == 1


@pytest.mark.parametrize(
    ("phrasings", "reason"),
    [
        (("店铺地址",), "「店铺地址」与已有的 FAQ「门店在哪里」重复。"),
        (("门店在哪里!",), "「门店在哪里!」与已有的 FAQ「门店在哪里」重复。"),
        (("我要退货", "我要退貨？"), "与标准问题或上面的问法重复。"),
        (("怎么退货？",), "与标准问题或上面的问法重复。"),
        (("退|换",), "问法里不能有竖线"),
        (("？",), "请用文字写出问题"),
    ],
)
def test_a_phrasing_belongs_to_one_faq_once(
    admin_client: Client, phrasings: tuple[str, ...], reason: str
) -> None:
    make_faq("门店在哪里", "店铺地址")

    html = add_faq(admin_client, *phrasings).content.decode()

    assert reason in html
    assert FAQ.objects.count() == 1


def test_a_faq_can_be_saved_again_as_it_is(admin_client: Client) -> None:
    faq = make_faq("怎么退货", "我要退货")
    phrasing = faq.phrasings.get()
    stored = {
        "phrasings-INITIAL_FORMS": "1",
        "phrasings-0-id": str(phrasing.pk),
        "phrasings-0-faq": str(faq.pk),
    }

    url = reverse("admin:knowledge_faq_change", args=[faq.pk])
    response = admin_client.post(url, faq_form("我要退货", answer="十五天内。", **stored))

    assert response.status_code == 302
    assert FAQ.objects.get().answer == "十五天内。"


def test_a_long_answer_is_saved_with_a_warning(admin_client: Client) -> None:
    assert "建议 300 字以内" in page(admin_client, "faq_add")

    assert "分成几条发送，建议精简" in add_faq(admin_client, answer="长" * 700).content.decode()
    assert FAQ.objects.exists()


def test_faqs_are_switched_off_and_on_together(
    admin_client: Client, django_capture_on_commit_callbacks: Callable
) -> None:
    faqs = [make_faq("怎么退货"), make_faq("怎么开发票"), make_faq("门店在哪里", enabled=False)]
    before = knowledge_version()

    with django_capture_on_commit_callbacks(execute=True):
        assert "已停用 2 条 FAQ。" in run_action(admin_client, "faq", "disable", faqs)
    assert not FAQ.objects.published().exists()
    assert knowledge_version() != before
    assert "已启用 3 条 FAQ。" in run_action(admin_client, "faq", "enable", faqs)


@pytest.mark.parametrize("model", ["faq", "synonymrule", "category"])
def test_deleting_is_told_to_all_processes(
    admin_client: Client, django_capture_on_commit_callbacks: Callable, model: str
) -> None:
    rows = {
        "faq": make_faq("怎么退货"),
        "synonymrule": SynonymRule.objects.all()[0],
        "category": Category.objects.create(name="售后"),
    }
    with django_capture_on_commit_callbacks(execute=True):
        url = reverse(f"admin:knowledge_{model}_delete", args=[rows[model].pk])
        admin_client.post(url, {"post": "yes"})

    assert redis().get(CHANGES_KEY) == b"1"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("快递", "请至少写两个词"),
        ("快递 快遞", "请至少写两个词"),
        ("咋 咋整", "「咋」已在规则「怎么 如何 咋 怎样」里。"),
    ],
)
def test_a_rule_without_effect_or_against_another_is_refused(
    admin_client: Client, words: str, reason: str
) -> None:
    response = admin_client.post(
        reverse("admin:knowledge_synonymrule_add"), {"words": words, "enabled": "on"}
    )

    assert reason in response.content.decode()


def test_a_rule_is_saved(admin_client: Client) -> None:
    admin_client.post(
        reverse("admin:knowledge_synonymrule_add"), {"words": "快递  包裹", "enabled": "on"}
    )

    assert SynonymRule.objects.filter(words="快递 包裹").exists()


def test_an_edited_cached_answer_is_what_the_next_customer_gets(
    admin_client: Client, cached: CachedAnswer, django_capture_on_commit_callbacks: Callable
) -> None:
    url = reverse("admin:knowledge_cachedanswer_change", args=[cached.pk])
    admin_client.post(url, {"answer": "下月起支持。"})
    with django_capture_on_commit_callbacks(execute=True):
        add_faq(admin_client)

    found = cache.find(Words("支持货到付款吗？"))
    assert found is not None
    assert (found.answer, found.pinned) == ("下月起支持。", True)


def test_a_cached_answer_that_was_only_looked_at_is_not_pinned(
    admin_client: Client, cached: CachedAnswer
) -> None:
    url = reverse("admin:knowledge_cachedanswer_change", args=[cached.pk])
    assert "暂不支持。" in admin_client.get(url).content.decode()
    admin_client.post(url, {"answer": cached.answer})

    assert CachedAnswer.objects.get().pinned is False


def test_cached_answers_are_searched_with_their_hits_and_status(
    admin_client: Client, cached: CachedAnswer
) -> None:
    cache.find(Words("支持货到付款吗"))

    html = page(admin_client, "cachedanswer_changelist", q="货到付款")

    assert "使用中" in html
    assert CachedAnswer.objects.get().hits == 1
    assert "暂不支持。" not in page(admin_client, "cachedanswer_changelist", q="发票")


def test_cached_answers_are_pinned_and_unpinned_together(
    admin_client: Client, cached: CachedAnswer
) -> None:
    assert "已固定 1 条答案。" in run_action(admin_client, "cachedanswer", "pin", [cached])
    assert "已固定" in page(admin_client, "cachedanswer_changelist")
    assert "已取消固定 1 条答案。" in run_action(admin_client, "cachedanswer", "unpin", [cached])


def test_a_deleted_cached_answer_is_forgotten(admin_client: Client, cached: CachedAnswer) -> None:
    admin_client.post(
        reverse("admin:knowledge_cachedanswer_delete", args=[cached.pk]), {"post": "yes"}
    )

    assert cache.find(Words("支持货到付款吗")) is None


def test_nobody_writes_a_cached_answer_by_hand(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:knowledge_cachedanswer_add")).status_code == 403


def upload(client: Client, content: bytes) -> HttpResponse:
    file = SimpleUploadedFile("faqs.csv", content, content_type="text/csv")
    return client.post(
        reverse("admin:knowledge_faq_import"), {"import_file": file, "format": "0", "resource": ""}
    )


def confirm(client: Client, preview: HttpResponse) -> str:
    form = preview.context["confirm_form"].initial
    return client.post(
        reverse("admin:knowledge_faq_process_import"), form, follow=True
    ).content.decode()


CSV_FILE = "分类,问题,答案,相似问法,启用\n退换货,怎么退货,七天内可退。,我要退货|不想要了,1\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_a_file_is_previewed_and_then_imported(
    admin_client: Client, encoding: str, django_capture_on_commit_callbacks: Callable
) -> None:
    preview = upload(admin_client, CSV_FILE.encode(encoding))
    assert "七天内可退。" in preview.content.decode()
    assert not FAQ.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        confirm(admin_client, preview)

    assert FAQ.objects.get().phrasings.count() == 2
    assert redis().get(CHANGES_KEY) == b"1"


def test_the_button_of_the_import_says_what_it_does(admin_client: Client) -> None:
    html = page(admin_client, "faq_import")
    assert re.search(r"<button type=\"submit\"[^>]*>\s*导入\s*</button>", html)
    assert "提交" not in html


def test_the_page_of_a_cached_answer_tells_its_status_in_words(
    admin_client: Client, cached: CachedAnswer
) -> None:
    html = page(admin_client, "cachedanswer_change", cached.pk)
    assert "使用中" in html
    assert "in_use" not in html


def test_wrong_rows_are_shown_with_their_numbers_and_nothing_is_imported(
    admin_client: Client,
) -> None:
    html = upload(admin_client, f"{CSV_FILE},怎么换货,,,1\n".encode()).content.decode()

    assert "请写出答案。" in html
    assert ">3<" in "".join(html.split())
    assert not FAQ.objects.exists()


def test_a_file_of_another_kind_is_refused_with_a_reason(admin_client: Client) -> None:
    assert "这是 Excel 工作簿" in upload(admin_client, b"PK\x03\x04").content.decode()
    assert (
        "缺少列：问题、答案" in upload(admin_client, "标题,内容\na,b\n".encode()).content.decode()
    )


def test_an_edit_between_preview_and_confirmation_stops_the_import(admin_client: Client) -> None:
    preview = upload(admin_client, CSV_FILE.encode())
    make_faq("怎么换货", "我要退货")

    html = confirm(admin_client, preview)

    assert "知识库刚刚有变动" in html
    assert FAQ.objects.count() == 1


def test_the_confirmation_may_reach_another_process(
    admin_client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers share DATA_DIR and nothing else, so each has a temporary folder of its own."""
    preview = upload(admin_client, CSV_FILE.encode())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    confirm(admin_client, preview)

    assert FAQ.objects.get().question == "怎么退货"


def test_an_uploaded_file_is_imported_once(admin_client: Client) -> None:
    preview = upload(admin_client, CSV_FILE.encode())
    confirm(admin_client, preview)

    assert "已经导入过或已过期" in confirm(admin_client, preview)


def test_a_file_nobody_confirmed_is_gone_after_an_hour(admin_client: Client) -> None:
    preview = upload(admin_client, CSV_FILE.encode())
    name = preview.context["confirm_form"].initial["import_file_name"]
    file = Path(settings.DATA_DIR) / "imports" / name
    assert file.stat().st_mode & 0o077 == 0
    os.utime(file, (0, 0))

    upload(admin_client, CSV_FILE.encode())

    assert not file.exists()


@pytest.mark.parametrize("name", ["../wechatbot.sqlite3", "secret_key", ""])
def test_no_other_file_is_read_as_an_upload(admin_client: Client, name: str) -> None:
    form = {"import_file_name": name, "original_file_name": "a.csv", "format": "0"}
    html = admin_client.post(
        reverse("admin:knowledge_faq_process_import"), form, follow=True
    ).content.decode()

    assert ("已经导入过或已过期" in html) == bool(name)
    assert not FAQ.objects.exists()


def test_a_file_that_is_too_large_is_refused_in_words(admin_client: Client) -> None:
    too_large = b"x" * (20 * 1024 * 1024 + 1)
    assert "一次最多导入 20 MB" in upload(admin_client, too_large).content.decode()
    too_many = CSV_FILE + "".join(f",第{number}种货怎么退,答案,,\n" for number in range(10_000))
    assert "一次最多导入 10000 行" in upload(admin_client, too_many.encode()).content.decode()


def test_abandoned_previews_do_not_fill_the_disk(admin_client: Client) -> None:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for number in range(uploads.MOST_KEPT):
        left = folder / f"{number:032x}"
        left.write_bytes(b"x")
        os.utime(left, (time.time() - 60 + number, time.time() - 60 + number))

    confirm(admin_client, upload(admin_client, "问题,答案\n怎么退货,七天内\n".encode()))

    assert sorted(path.name for path in folder.iterdir()) == [
        f"{at:032x}" for at in range(1, uploads.MOST_KEPT)
    ]
    assert FAQ.objects.count() == 1


def test_a_long_preview_shows_its_beginning_and_imports_all(admin_client: Client) -> None:
    rows = "".join(f",第{number}种货怎么退,答案,,\n" for number in range(120))
    preview = upload(admin_client, (CSV_FILE + rows).encode())

    html = preview.content.decode()
    assert "文件共 121 行" in html
    assert "第98种货" in html
    assert "第99种货" not in html
    confirm(admin_client, preview)
    assert FAQ.objects.count() == 121
    assert LogEntry.objects.count() == 121


def test_the_exported_file_bears_the_editors_date(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    early_in_beijing = datetime(2026, 11, 22, 20, 47, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: early_in_beijing)
    response = admin_client.get(reverse("admin:knowledge_faq_export"))
    assert "FAQ-2026-11-23.csv" in response["Content-Disposition"]


def test_the_exported_file_can_be_imported(admin_client: Client) -> None:
    make_faq("怎么退货", "我要退货")
    response = admin_client.get(reverse("admin:knowledge_faq_export"))

    assert response.content.startswith("\ufeff分类,问题,答案,相似问法,启用".encode())
    FAQ.objects.all().delete()
    confirm(admin_client, upload(admin_client, response.content))
    assert FAQ.objects.get().phrasings.get().text == "我要退货"


def test_import_needs_the_right_to_change_faqs(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("viewer", password="x", is_staff=True))

    assert client.get(reverse("admin:knowledge_faq_import")).status_code == 403
