"""Real customers never read the made-up answers of the demo shop, and it goes as
easily as it came.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from common.text import Words
from conversations.models import Owner
from knowledge.models import FAQ, Category, Phrasing
from knowledge.retrieval.matching import match
from tests.factories import AccountFactory, held_turn
from tickets.models import Agent, Reason, Status, Ticket
from tickets.services import hand_over, take
from wechatbot.demo import removal, shop

pytestmark = pytest.mark.django_db

PAGE = "/admin/remove-demo/"


@pytest.fixture(autouse=True)
def _secrets_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.SECRETS_DIR = tmp_path


@pytest.fixture
def simulated(settings: Settings) -> None:
    settings.WECHAT_APP_ID, settings.WECHAT_IS_SIMULATED = "wxsimulator000001", True


@pytest.fixture
def loaded(simulated: None) -> shop.Loaded:
    return shop.load()


def connect_a_real_account(settings: Settings) -> None:
    settings.WECHAT_APP_ID, settings.WECHAT_IS_SIMULATED = "wxreal0000000001", False
    settings.WECHAT_APP_SECRET, settings.WECHAT_TOKEN = "a" * 32, "token123"
    settings.WECHAT_ENCODING_AES_KEY = ""


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=out)
    return out.getvalue()


class TestWithARealAccount:
    def test_the_demo_is_refused(self, settings: Settings) -> None:
        connect_a_real_account(settings)

        with pytest.raises(CommandError, match="real account"):
            call_command("load_demo")
        assert not FAQ.objects.exists()
        assert not User.objects.exists()

    def test_the_demo_is_refused_for_an_account_of_the_admin_too(self, simulated: None) -> None:
        AccountFactory(app_id="wxreal0000000002")

        with pytest.raises(CommandError, match="real account"):
            call_command("load_demo")

    def test_prepare_goes_on_without_it_says_so_and_gives_the_first_login(
        self, settings: Settings
    ) -> None:
        connect_a_real_account(settings)

        words = run("prepare", "--demo")

        assert "not loaded" in words
        assert not FAQ.objects.exists()
        assert not Agent.objects.exists()
        assert list(User.objects.values_list("username", flat=True)) == ["admin"]
        assert "password" in words
        assert "password" not in run("prepare", "--demo")

    def test_a_start_says_that_the_demo_is_still_there(
        self, loaded: shop.Loaded, settings: Settings
    ) -> None:
        connect_a_real_account(settings)

        words = run("prepare")

        assert "remove_demo" in words
        assert f"{loaded.faqs} FAQs" in words
        removal.remove(removal.find())
        assert "remove_demo" not in run("prepare")


class TestFinding:
    def test_all_of_it_is_found_as_it_was_loaded(self, loaded: shop.Loaded) -> None:
        demo = removal.find(with_passwords=True)

        assert len(demo.faqs) == loaded.faqs > 25
        assert {agent.display_name for agent in demo.agents} == set(shop.AGENTS.values())
        assert not demo.has_changed_rows

    def test_a_shop_of_ones_own_is_not_the_demo(self, simulated: None) -> None:
        FAQ.objects.create(question="怎么开户", answer="带身份证来柜台。")

        assert not removal.find().is_there

    @pytest.mark.parametrize("field", ["answer", "category", "phrasings", "enabled"])
    def test_what_an_editor_changed_is_the_editors(self, loaded: shop.Loaded, field: str) -> None:
        faq = FAQ.objects.get(question="怎么退货")
        match field:
            case "answer":
                FAQ.objects.filter(pk=faq.pk).update(answer="30 天内可退。")
            case "category":
                FAQ.objects.filter(pk=faq.pk).update(
                    category=Category.objects.create(name="自己的")
                )
            case "phrasings":
                Phrasing.objects.create(faq=faq, text="我们的退货办法")
            case "enabled":
                FAQ.objects.filter(pk=faq.pk).switch(enabled=False)

        assert removal.find().changed_faqs == (faq,)

    def test_an_agent_with_another_name_or_password_is_somebodys(self, loaded: shop.Loaded) -> None:
        liming, wangfang = (
            Agent.objects.get(user__username=name) for name in ("liming", "wangfang")
        )
        Agent.objects.filter(pk=liming.pk).update(display_name="李经理")
        wangfang.user.set_password("her own words")
        wangfang.user.save()

        demo = removal.find(with_passwords=True)

        assert set(demo.changed_agents) == {liming, wangfang}
        assert demo.agents == ()


class TestTheCommand:
    def test_it_removes_the_shop_and_keeps_what_is_not_of_it(self, loaded: shop.Loaded) -> None:
        own = FAQ.objects.create(
            question="怎么开户", answer="带身份证来柜台。", category=Category.objects.first()
        )

        words = run("remove_demo")

        assert list(FAQ.objects.all()) == [own]
        assert list(Category.objects.all()) == [own.category]
        assert list(User.objects.values_list("username", flat=True)) == ["admin"]
        assert "怎么退货" in words
        assert match(Words("怎么退货")).band != "answer"
        assert "not in this database" in run("remove_demo")

    def test_it_names_what_was_changed_and_keeps_it(self, loaded: shop.Loaded) -> None:
        FAQ.objects.filter(question="怎么退货").update(answer="30 天内可退。")

        words = run("remove_demo")

        assert list(FAQ.objects.values_list("question", "answer")) == [
            ("怎么退货", "30 天内可退。")
        ]
        assert "it stays (1):\n  怎么退货" in words

    def test_it_removes_what_was_changed_when_told_to(self, loaded: shop.Loaded) -> None:
        FAQ.objects.filter(question="怎么退货").update(answer="30 天内可退。")

        words = run("remove_demo", "--changed-too")

        assert not FAQ.objects.exists()
        assert "although changed since (1):\n  怎么退货" in words

    def test_the_customers_of_its_agents_wait_for_another(self, loaded: shop.Loaded) -> None:
        turn = held_turn(text="转人工")
        ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        take(ticket, Agent.objects.get(user__username="liming"), from_agent=ticket.assignee)

        run("remove_demo")

        ticket = Ticket.objects.get()
        assert (ticket.is_open, ticket.assignee, ticket.status) == (True, None, Status.OPEN)
        assert ticket.conversation.owner == Owner.QUEUE


class TestTheAdmin:
    @pytest.fixture
    def admin(self, loaded: shop.Loaded) -> Client:
        client = Client()
        client.force_login(User.objects.get(username="admin"))
        return client

    def test_the_front_page_says_that_the_demo_is_here(
        self, admin: Client, settings: Settings
    ) -> None:
        def page() -> str:
            return admin.get(reverse("admin:index")).content.decode()

        assert PAGE in page()
        assert "接入真实公众号之前请移除" in page()
        connect_a_real_account(settings)
        assert "客户会收到这些编造的答案" in page()
        removal.remove(removal.find())
        assert PAGE not in page()

    def test_the_page_names_what_will_be_lost_and_what_stays(self, admin: Client) -> None:
        FAQ.objects.filter(question="怎么换货").update(answer="不能换。")

        page = admin.get(PAGE).content.decode()

        gone, kept = page.split("有人改过，默认保留")
        assert "怎么退货" in gone
        assert "李明" in gone
        assert "怎么换货" not in gone
        assert "怎么换货" in kept
        assert FAQ.objects.count() > 25

    def test_one_click_removes_it(self, admin: Client) -> None:
        FAQ.objects.filter(question="怎么换货").update(answer="不能换。")

        answer = admin.post(PAGE, follow=True)

        assert "演示店铺已移除" in answer.content.decode()
        assert list(FAQ.objects.values_list("question", flat=True)) == ["怎么换货"]
        admin.post(PAGE, {"changed_too": "1"})
        assert not FAQ.objects.exists()

    def test_only_an_administrator_removes_it(self, loaded: shop.Loaded) -> None:
        client = Client()
        assert client.post(PAGE).status_code == 302
        client.force_login(User.objects.get(username="liming"))

        assert client.post(PAGE).status_code == 403
        assert PAGE not in client.get(reverse("admin:index")).content.decode()
        assert FAQ.objects.count() == loaded.faqs
