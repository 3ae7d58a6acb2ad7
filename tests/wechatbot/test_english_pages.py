"""A reader whose browser asks for English finds no Chinese but in the data."""

from __future__ import annotations

import json
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from assistant.models import AnswerLog, BlockedTerm, Persona
from assistant.personas import default_prompt
from conversations.models import BotText, Customer, MessageState, ReplyState
from conversations.saying import registered
from conversations.texts import default_text
from knowledge.models import FAQ, CachedAnswer, Category, Phrasing, SynonymRule
from llm.models import LanguageModel, ModelCall, Outcome
from simulator.views import SUGGESTIONS
from tests.factories import MessageFactory, ReplyFactory
from tickets.models import Agent, EventKind, Reason, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
# The names of languages in themselves, what a customer of the demo shop may ask, and what the bot
# says by default.
DATA = ["简体中文", "中文", *SUGGESTIONS]
MODELS = [model for model in apps.get_models() if admin.site.is_registered(model)]
MODEL_IDS = [model._meta.label for model in MODELS]


@pytest.fixture
def reader(admin_user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin_user)
    return client


@pytest.fixture
def rows(admin_user: User) -> None:
    """One row of each kind, written in English."""
    SynonymRule.objects.all().delete()  # The shipped ones are Chinese.
    SynonymRule.objects.create(words="refund repayment")
    message = MessageFactory(
        text="Where is my parcel?",
        conversation__customer__account__name="Shop",
        state=MessageState.HANDED_OVER,
    )
    conversation = message.conversation
    ReplyFactory(
        conversation=conversation,
        message=message,
        text="On its way.",
        source="faq",
        state=ReplyState.FAILED,
    )
    Customer.objects.update(remark="Mrs Chang")
    agent = Agent.objects.create(user=admin_user, display_name="Li")
    ticket = Ticket.objects.create(
        number="1",
        reason=Reason.NOTHING_MATCHED,
        customer=conversation.customer,
        conversation=conversation,
        open_for=conversation,
        waiting_since=message.received_at,
        assignee=agent,
    )
    for kind in EventKind:
        TicketEvent.objects.create(ticket=ticket, kind=kind, agent=agent)
    faq = FAQ.objects.create(
        category=Category.objects.create(name="Returns"), question="Refund?", answer="Yes."
    )
    Phrasing.objects.create(faq=faq, text="Money back?")
    CachedAnswer.objects.create(
        question="Open today?", answer="Yes.", expires_at=message.received_at
    )
    model = LanguageModel.objects.create(
        name="small", base_url="https://model.example/v1", model="small"
    )
    ModelCall.objects.create(language_model=model, model="small", outcome=Outcome.TIMEOUT)
    AnswerLog.objects.create(
        account_id=message.account_id,
        conversation_id=conversation.pk,
        question="Open today?",
        answer="Yes.",
        source="cache",
        milliseconds=3,
    )
    BlockedTerm.objects.create(term="casino")
    Persona.objects.create(account=message.account, prompt="Be kind.")
    BotText.objects.create(account=message.account, moment="follow", text="Welcome.")
    Group.objects.create(name="Agents")


def chinese_on(client: Client, address: str, *, post: bool = False) -> list[str]:
    answer = client.post(address, {}) if post else client.get(address, follow=True)
    assert answer.status_code in (200, 403), address
    shown = answer.content.decode()
    data = [
        *DATA,
        default_prompt(),
        *(line for moment in registered() for line in default_text(moment).splitlines()),
    ]
    for text in sorted(data, key=len, reverse=True):
        shown = shown.replace(text, "")
    return CHINESE.findall(_without_escapes(shown))


def _without_escapes(page: str) -> str:
    """JSON for scripts writes Chinese as \\uXXXX."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: json.loads(f'"{found.group()}"'), page)


@pytest.mark.parametrize(
    "name", ["admin:index", "admin:password_change", "admin:jsi18n", "simulator:page"]
)
def test_it_shows_a_page_in_english(reader: Client, rows: None, name: str) -> None:
    assert chinese_on(reader, reverse(name)) == []


def test_it_shows_the_login_in_english() -> None:
    stranger = Client(headers={"accept-language": "en"})
    page = reverse("admin:login")

    assert chinese_on(stranger, page) == []
    assert chinese_on(stranger, page, post=True) == []
    assert 'lang="en"' in stranger.get(page).content.decode()


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_it_shows_lists_and_forms_in_english(
    reader: Client, rows: None, model: type[Model]
) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.first()
    assert row is not None, "a kind of row that the fixture does not make"

    assert chinese_on(reader, reverse(f"{name}_changelist")) == []
    assert chinese_on(reader, reverse(f"{name}_changelist") + "?q=nothing-like-this") == []
    assert chinese_on(reader, reverse(f"{name}_change", args=[row.pk])) == []
    assert chinese_on(reader, reverse(f"{name}_history", args=[row.pk])) == []


def test_it_shows_the_desk_in_english(reader: Client, rows: None) -> None:
    for query in ("", "?queue=all", "?q=nothing-like-this"):
        assert chinese_on(reader, reverse("desk:queue") + query) == []
    ticket = Ticket.objects.get()
    assert chinese_on(reader, reverse("desk:ticket", args=[ticket.pk])) == []


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_it_shows_mistakes_in_a_form_in_english(
    reader: Client, rows: None, model: type[Model]
) -> None:
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")

    assert chinese_on(reader, page) == []
    assert chinese_on(reader, page, post=True) == []


def test_it_shows_import_and_export_of_faqs_in_english(reader: Client, rows: None) -> None:
    assert chinese_on(reader, reverse("admin:knowledge_faq_import")) == []
    assert chinese_on(reader, reverse("admin:knowledge_faq_import"), post=True) == []
    header = reader.get(reverse("admin:knowledge_faq_export")).content.decode().splitlines()[0]
    assert not CHINESE.search(header)


def test_it_offers_a_persona_in_the_language_of_the_installation(
    reader: Client, rows: None
) -> None:
    form = reader.get(reverse("admin:assistant_persona_add")).context["adminform"].form

    assert form.get_initial_for_field(form.fields["prompt"], "prompt") == default_prompt()
    assert CHINESE.search(default_prompt())
