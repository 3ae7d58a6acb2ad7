"""A long history in the benchmark's database: `python -m benchmarks.history MESSAGES TICKETS`, on
MariaDB.

Prints the cookie of a staff user's session, which reads the pages. Rows are copies of one that the
models wrote, so a new column has the value that the product gives it.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from conversations.models import (  # noqa: E402
    Author,
    Conversation,
    Customer,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from llm.models import ModelCall, Outcome  # noqa: E402
from tickets.models import Reason, Status, Ticket  # noqa: E402
from wechat.models import OfficialAccount  # noqa: E402

DAYS = 100
OPEN_TICKETS = 500
MESSAGES_PER_CALL = 5


def copies(row: Model, count: int, **changes: str) -> None:
    """`changes`: SQL for columns that differ, in which `n` counts from 1 (the oldest)."""
    columns = [field.column for field in row._meta.concrete_fields]
    values = ", ".join(changes.get(column, column) for column in columns)
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
            f" FROM {table} JOIN (SELECT seq AS n FROM seq_1_to_{count}) AS numbers WHERE id = %s",
            [row.pk],
        )
    type(row)._default_manager.filter(pk=row.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {table}")


def at(count: int) -> str:
    """The moment of the n-th of so many rows, evenly over the days until now."""
    now = timezone.now().replace(tzinfo=None).isoformat(" ", "seconds")
    return f"TIMESTAMP '{now}' - INTERVAL FLOOR(({count} - n) * {DAYS * 86400 / count}) SECOND"


def main(messages: int, tickets: int) -> None:
    account = OfficialAccount.objects.order_by("pk").first()
    assert account is not None
    now = timezone.now()
    # One statement copies a million rows.
    connection.settings_dict["OPTIONS"]["read_timeout"] = 600
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        cursor.execute("SET UNIQUE_CHECKS = 0")
    people(account, tickets)
    talk(account, messages, tickets)
    help_given(tickets)
    call = ModelCall.objects.create(model="fake", outcome=Outcome.OK, total_ms=900, created_at=now)
    calls = messages // MESSAGES_PER_CALL
    copies(
        call,
        calls,
        id="n + 10",
        created_at=at(calls),
        outcome="IF(MOD(n, 50) = 0, 'timeout', 'ok')",
    )
    user = get_user_model().objects.create_superuser("reader")
    client = Client()
    client.force_login(user)
    print(client.cookies[settings.SESSION_COOKIE_NAME].value)


def people(account: OfficialAccount, count: int) -> None:
    customer = Customer.objects.create(account=account, openid="template", pk=count + 1)
    conversation = Conversation.objects.create(account=account, customer=customer, pk=count + 1)
    copies(conversation, count, id="n", customer_id="n", last_message_at=at(count))
    copies(
        customer, count, id="n", openid="CONCAT('oBench', LPAD(n, 20, '0'))", created_at=at(count)
    )


def talk(account: OfficialAccount, count: int, conversations: int) -> None:
    now = timezone.now()
    message = Message.objects.create(
        account=account,
        openid="o",
        dedup_key="template",
        kind="text",
        text="怎么退货",
        conversation_id=1,
        state=MessageState.ANSWERED,
        sent_at=now,
        received_at=now,
    )
    reply = Reply.objects.create(
        conversation_id=1,
        message=message,
        author=Author.BOT,
        source="faq",
        text="七天内可以退货。" * 5,
        state=ReplyState.SENT,
        pk=count + 1,
    )
    states = "ELT(1 + MOD(n, 10), 'ignored', 'handed_over', " + ", ".join(["'answered'"] * 8) + ")"
    copies(
        reply,
        count,
        id="n",
        message_id="n",
        conversation_id=f"1 + MOD(n, {conversations})",
        created_at=at(count),
        due_at=at(count),
        source="ELT(1 + MOD(n, 4), 'faq', 'faq', 'model', 'menu')",
        state="IF(MOD(n, 20000) = 0, 'failed', 'sent')",
    )
    copies(
        message,
        count,
        id="n",
        dedup_key="CONCAT('bench', n)",
        conversation_id=f"1 + MOD(n, {conversations})",
        state=states,
        sent_at=at(count),
        received_at=at(count),
        openid=f"CONCAT('oBench', LPAD(1 + MOD(n, {conversations}), 20, '0'))",
        text="CONCAT('第 ', n, ' 句：怎么退货')",
    )


def help_given(count: int) -> None:
    ticket = Ticket.objects.create(
        number="template",
        reason=Reason.NOTHING_MATCHED,
        customer_id=1,
        conversation_id=1,
        pk=count + 1,
        resolved_at=timezone.now() + timedelta(0),
        status=Status.RESOLVED,
    )
    is_open = f"n > {count - OPEN_TICKETS}"
    copies(
        ticket,
        count,
        id="n",
        number="CONCAT('B', n)",
        customer_id="n",
        conversation_id="n",
        created_at=at(count),
        open_for_id=f"IF({is_open}, n, NULL)",
        resolved_at=f"IF({is_open}, NULL, {at(count)})",
        status=(f"IF({is_open}, 'open', 'resolved')"),
        waiting_since=f"IF({is_open}, {at(count)}, NULL)",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
