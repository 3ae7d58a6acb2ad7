"""Builders of rows. A test names what matters to it; the rest is plausible."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import factory
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from conversations.models import LONG_AGO, Author, Conversation, Customer, Hold, Message, Reply
from conversations.turns.leases import Turn, lease_turn
from tests.samples import pushed
from tickets.models import Agent
from tickets.presence import agent_did_something
from wechat.models import OfficialAccount, ReplyMode

FIRST_MSG_ID = 24_789_654_321_098_765
AES_KEY = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE"


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OfficialAccount

    slug = factory.Sequence(lambda n: f"account-{n}")
    name = "小店"
    app_id = factory.Sequence(lambda n: f"wx{n:016d}")
    app_secret = "secret-of-the-account"
    token = "tokenForTests"
    aes_key = AES_KEY
    encrypted_only = False  # as an operator may choose; most tests push plainly
    reply_mode = ReplyMode.API


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer

    account = factory.SubFactory(AccountFactory)
    openid = factory.Sequence(lambda n: f"oCustomer{n:019d}")


class ConversationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Conversation

    customer = factory.SubFactory(CustomerFactory)
    account = factory.SelfAttribute("customer.account")


class MessageFactory(factory.django.DjangoModelFactory):
    """A message that was taken in and belongs to its conversation: the payload sample of its
    `kind`, as the parser reads it. `text` are the customer's words, `elements` other XML elements.
    """

    class Meta:
        model = Message

    class Params:
        elements: dict[str, str] = {}

    conversation = factory.SubFactory(ConversationFactory)
    account = factory.SelfAttribute("conversation.account")
    openid = factory.SelfAttribute("conversation.customer.openid")
    dedup_key = factory.LazyAttributeSequence(lambda row, n: f"{row.openid}:{FIRST_MSG_ID + n}")
    kind = "text"
    text = factory.LazyAttribute(lambda row: "怎么退货" if row.kind == "text" else None)
    sent_at = factory.LazyFunction(timezone.now)
    received_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _adjust_kwargs(cls, **values: Any) -> dict[str, Any]:
        """Nobody invents the fields of a row: they are what the parser finds in the XML."""
        if "fields" in values:
            raise TypeError("a row's fields come from its payload: name XML elements")
        push = pushed(values["kind"], values["text"], **values["elements"])
        return {**values, "text": push.question, "fields": push.stored_fields()}


class ReplyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Reply
        skip_postgeneration_save = True

    conversation = factory.SubFactory(ConversationFactory)
    author = Author.BOT
    owner_version = factory.LazyAttribute(
        lambda reply: reply.conversation.owner_version if reply.author == Author.BOT else None
    )
    text = "七天内可以退货。"

    @factory.post_generation
    def _note_on_the_conversation(self, create: bool, extracted: object, **kwargs: object) -> None:
        """As `say` and `write_to_customer` do it."""
        if create and self.author != Author.SYSTEM:
            self.conversation.last_reply_at = max(
                self.conversation.last_reply_at or LONG_AGO, self.created_at
            )
            self.conversation.save(update_fields=["last_reply_at"])


def held_turn(*, passive: bool = False, until: datetime | None = None, **values: object) -> Turn:
    """A message that we hold. With `until` a request waits for its reply until then."""
    account = AccountFactory(reply_mode=ReplyMode.PASSIVE if passive else ReplyMode.API)
    conversation = ConversationFactory(customer__account=account)
    hold = {"hold": Hold.WAITING, "hold_until": until} if until else {}
    message = MessageFactory(conversation=conversation, **{**hold, **values})
    turn = lease_turn(message.conversation_id)
    assert turn is not None
    return turn


def next_turn(conversation: Conversation, text: str, **values: object) -> Turn:
    """The customer writes again, and we hold the message."""
    conversation.refresh_from_db()
    Conversation.objects.filter(pk=conversation.pk).update(
        lease_until=conversation.created_at.replace(year=2000)
    )
    MessageFactory(conversation=conversation, text=text, **values)
    turn = lease_turn(conversation.pk)
    assert turn is not None
    return turn


def make_agent(name: str, *, active: bool = True, there: bool = True) -> Agent:
    """A colleague with a staff login that may view and change tickets."""
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_ticket", "change_ticket"))
    )
    agent = Agent.objects.create(user=user, display_name=name, active=active)
    if there:
        agent_did_something(agent.pk)
    return agent
