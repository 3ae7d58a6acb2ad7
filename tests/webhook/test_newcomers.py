"""A crowd of new customers: past the limit of a minute no model is asked for them, and nobody is
refused.
"""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from common.redis import redis
from conversations.models import Conversation, Customer, MessageState, Owner, Reply
from conversations.turns.leases import Turn, lease_turn
from tests.factories import AccountFactory, ConversationFactory, CustomerFactory, MessageFactory
from tests.faqs import RETURNS
from tests.knowledge.builders import absent_redis
from tests.webhook.turns import UNKNOWN, state_of
from tests.worlds.model_stub import ModelStub
from tickets.models import Reason, Ticket
from webhook import flow, script
from wechat.models import OfficialAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "model_is_configured")]


@pytest.fixture(autouse=True)
def _limit_of_two(settings: Settings) -> None:
    settings.NEW_CUSTOMERS_PER_MINUTE = 2


@pytest.fixture
def account() -> OfficialAccount:
    return AccountFactory()


@pytest.fixture
def model() -> ModelStub:
    return ModelStub(*["模型的回答。"] * 20)


def writes(customer: Customer, text: str = UNKNOWN) -> Turn:
    """The customer's next message, in the worker's hands."""
    found = getattr(customer, "conversation", None)
    conversation = found or ConversationFactory(customer=customer)
    MessageFactory(conversation=conversation, text=text)
    turn = lease_turn(conversation.pk)
    assert turn is not None
    return turn


def new(account: OfficialAccount) -> Customer:
    customer: Customer = CustomerFactory(account=account)
    return customer


def ask(customer: Customer, model: ModelStub, text: str = UNKNOWN) -> Turn:
    turn = writes(customer, text)
    flow.reply(turn, model=model)
    return turn


def crowd(account: OfficialAccount, model: ModelStub) -> None:
    for number in range(2):
        ask(new(account), model, f"{UNKNOWN}{number}")
    assert len(model.asked) == 2


def test_past_the_limit_a_question_gets_a_ticket_and_no_model(
    account: OfficialAccount, model: ModelStub
) -> None:
    crowd(account, model)
    turn = ask(new(account), model)
    assert len(model.asked) == 2
    assert Ticket.objects.get().reason == Reason.NOTHING_MATCHED
    assert state_of(turn) == MessageState.HANDED_OVER


def test_past_the_limit_the_knowledge_base_answers(
    account: OfficialAccount, model: ModelStub
) -> None:
    crowd(account, model)
    ask(new(account), model, RETURNS[0])
    assert Reply.objects.latest("pk").text == RETURNS[1]
    assert len(model.asked) == 2


def test_what_the_knowledge_base_answers_takes_no_place(
    account: OfficialAccount, model: ModelStub
) -> None:
    for _ in range(5):
        ask(new(account), model, RETURNS[0])
    crowd(account, model)


def test_a_customer_who_was_let_in_is_new_no_more(
    account: OfficialAccount, model: ModelStub
) -> None:
    regular = new(account)
    ask(regular, model, "第一个问题没有答案吗")
    redis().delete(f"newcomers:{account.pk}")
    crowd_model = ModelStub("好。", "好。")
    crowd(account, crowd_model)
    ask(Customer.objects.get(pk=regular.pk), model, "第二个问题没有答案吗")
    assert len(model.asked) == 2


def test_in_a_calmer_minute_the_same_customer_is_let_in(
    account: OfficialAccount, model: ModelStub
) -> None:
    crowd(account, model)
    late = new(account)
    ask(late, model)
    assert len(model.asked) == 2
    # The minute is over, and an agent has answered.
    redis().delete(f"newcomers:{account.pk}")
    Ticket.objects.all().delete()
    Conversation.objects.filter(customer=late).update(owner=Owner.BOT)
    ask(Customer.objects.get(pk=late.pk), model, f"{UNKNOWN}吗")
    assert len(model.asked) == 3


def test_another_account_has_a_crowd_of_its_own(account: OfficialAccount, model: ModelStub) -> None:
    crowd(account, model)
    ask(new(AccountFactory()), model, f"{UNKNOWN}呢")
    assert len(model.asked) == 3


def test_a_minute_ends(account: OfficialAccount, model: ModelStub) -> None:
    crowd(account, model)
    assert 0 < redis().ttl(f"newcomers:{account.pk}") <= 60


def test_there_is_no_limit_while_redis_is_away(
    account: OfficialAccount, model: ModelStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(account, model)
    monkeypatch.setattr(script, "redis", absent_redis)
    ask(new(account), model, f"{UNKNOWN}呀")
    assert len(model.asked) == 3


def test_customers_of_before_the_upgrade_are_not_new(
    account: OfficialAccount, model: ModelStub
) -> None:
    known = new(account)
    migration = import_module("conversations.migrations.0003_customers_of_before")
    migration.let_in_who_is_there(apps, SimpleNamespace(connection=connection))
    crowd(account, model)
    ask(Customer.objects.get(pk=known.pk), model, f"{UNKNOWN}啊")
    assert len(model.asked) == 3
