"""A customer's picture, from WeChat's push to the page of the agent."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.samples import sample
from tests.webhook.builders import push
from tests.webhook.turns import queued_turn, served_turn
from tickets.models import Agent, Ticket
from webhook import flow
from webhook.answering import answer_here
from webhook.intake import take_in
from wechat.incoming import IncomingImage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_served", [True, False])
def test_the_agent_gets_the_picture(agent: Agent, is_served: bool) -> None:
    turn = served_turn(agent, "在吗") if is_served else queued_turn("在吗")
    flow.reply(turn, model=None)
    pushed = push(turn.message.account, kind="image", openid=turn.customer.openid)
    take_in([pushed])
    answer_here(pushed.stored_message())
    page = Client()
    page.force_login(agent.user)
    address = reverse("desk:ticket", args=[Ticket.objects.get().pk])
    image = sample("image")
    assert isinstance(image, IncomingImage)
    found = page.get(address).content.decode()
    assert f'href="{image.url}"' in found
    assert f'src="{image.url}"' in found
