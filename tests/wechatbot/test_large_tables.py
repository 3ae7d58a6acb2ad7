"""The pages that staff open all day read a page's worth of rows, however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assistant.models import AnswerLog, Source
from common import paging
from conversations import session
from conversations.models import (
    Author,
    Conversation,
    Customer,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from llm.models import ModelCall, Outcome
from tests.factories import AccountFactory
from tickets.models import Reason, Status, Ticket

# On MySQL the tables' statistics are made outside of any transaction.
pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 3000
TICKETS = 600
OPEN = 60
# MySQL sorts a table of few pages rather than follow its index.
LONG = "。" * 500
LARGE = (Message, Reply, Ticket, ModelCall, AnswerLog)
TABLES = [model._meta.db_table for model in LARGE]


@pytest.fixture
def history() -> None:
    """Enough for a database to find an index worth its while."""
    account = AccountFactory()
    now = timezone.now()
    customers = [Customer(account=account, openid=f"o{number}") for number in range(TICKETS)]
    Customer.objects.bulk_create(customers)
    customers = list(Customer.objects.order_by("pk"))
    Conversation.objects.bulk_create(
        Conversation(account=account, customer=customer, last_message_at=now)
        for customer in customers
    )
    conversations = list(Conversation.objects.order_by("pk"))
    moments = [now - timedelta(hours=number) for number in range(ROWS)]
    Message.objects.bulk_create(_messages(account.pk, conversations, moments))
    Reply.objects.bulk_create(_replies(conversations, moments))
    Ticket.objects.bulk_create(_tickets(conversations, moments))
    calls = (
        ModelCall(model="m" * 100, outcome=Outcome.OK, error=LONG[:300], created_at=at)
        for at in moments
    )
    ModelCall.objects.bulk_create(calls)
    logs = (
        AnswerLog(question=LONG, answer=LONG, source=Source.FAQ, created_at=at) for at in moments
    )
    AnswerLog.objects.bulk_create(logs)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"ANALYZE TABLE {table}" if connection.vendor == "mysql" else f"ANALYZE {table}"
            )


def _messages(
    account_id: int, conversations: list[Conversation], moments: list[datetime]
) -> Iterator[Message]:
    for number, at in enumerate(moments):
        conversation = conversations[number % TICKETS]
        yield Message(
            account_id=account_id,
            openid=f"o{number % TICKETS}",
            dedup_key=f"key-{number}",
            kind="text",
            text=f"第 {number} 句" + LONG,
            conversation=conversation,
            sent_at=at,
            received_at=at,
            state=MessageState.IGNORED if number % 5 == 0 else MessageState.ANSWERED,
        )


def _replies(conversations: list[Conversation], moments: list[datetime]) -> Iterator[Reply]:
    for number, at in enumerate(moments):
        conversation = conversations[number % TICKETS]
        yield Reply(
            conversation=conversation,
            author=Author.BOT,
            source=Source.FAQ,
            text=LONG,
            created_at=at,
            state=ReplyState.SENT,
        )


def _tickets(conversations: list[Conversation], moments: list[datetime]) -> Iterator[Ticket]:
    for number, conversation in enumerate(conversations):
        is_open = number < OPEN
        yield Ticket(
            number=f"T{number}",
            reason=Reason.CUSTOMER_ASKED,
            customer_id=conversation.customer_id,
            conversation=conversation,
            open_for=conversation if is_open else None,
            created_at=moments[number],
            status=Status.OPEN if is_open else Status.RESOLVED,
            resolved_at=None if is_open else moments[number],
            waiting_since=moments[number] if is_open else None,
        )


def whole_scans(queries: CaptureQueriesContext) -> list[str]:
    """The statements that read a large table from end to end, or sort more than they show."""
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert asked
    return [sql for sql in asked if any(table in sql for table in TABLES) and _reads_all(sql)]


def _reads_all(sql: str) -> bool:
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(f"EXPLAIN {sql.replace('%', '%%')}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            return any(_is_whole(row) for row in rows)
        cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
        steps = [row[3] for row in cursor.fetchall()]
    return any(re.fullmatch(rf"SCAN ({'|'.join(TABLES)}|U0|T0)", step) for step in steps)


def _is_whole(step: dict[str, object]) -> bool:
    """Also a sort of more rows than a page may need to look at: such as all
    messages of an account.
    """
    is_sort = "Using filesort" in str(step["Extra"]) and int(str(step["rows"] or 0)) > TICKETS
    return step["table"] in TABLES and (step["type"] == "ALL" or is_sort)


PAGES = [
    "/admin/",
    "/admin/conversations/message/",
    "/admin/conversations/message/?state=to_answer&received_at=today",
    "/admin/conversations/reply/",
    "/admin/conversations/reply/?created_at=day",
    "/admin/conversations/conversation/",
    "/desk/",
    "/desk/?queue=untaken",
    "/desk/?queue=resolved",
    "/admin/llm/modelcall/",
    "/admin/assistant/answerlog/",
]


@pytest.mark.usefixtures("history")
def test_no_page_reads_a_whole_table(admin_client: Client) -> None:
    for page in PAGES:
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(page).status_code == 200
        assert whole_scans(queries) == [], page


@pytest.mark.usefixtures("history")
def test_a_tickets_page_and_a_session_read_their_conversation_alone(admin_client: Client) -> None:
    ticket = Ticket.objects.open().first()
    assert ticket is not None
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse("desk:ticket", args=[ticket.pk]))
        session.rebuild(ticket.conversation)

    assert whole_scans(queries) == []


@pytest.mark.usefixtures("history")
def test_the_ticket_list_reads_last_words_for_its_page_alone(admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        html = admin_client.get("/desk/").content.decode()

    assert f"第 {OPEN - 1} 句" in html
    of_tickets = [
        query["sql"]
        for query in queries
        if "FROM" in query["sql"] and "tickets_ticket" in query["sql"]
    ]
    assert of_tickets
    assert not any("conversations_message" in sql for sql in of_tickets)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("page", ["/desk/", "/admin/conversations/message/"])
def test_a_list_asks_the_same_questions_for_few_rows_and_for_many(
    admin_client: Client, page: str
) -> None:
    admin_client.get(page)
    with CaptureQueriesContext(connection) as for_many:
        admin_client.get(page)
    Ticket.objects.filter(pk__gt=Ticket.objects.order_by("pk")[2].pk).delete()
    Message.objects.filter(pk__gt=Message.objects.order_by("pk")[2].pk).delete()
    with CaptureQueriesContext(connection) as for_few:
        admin_client.get(page)

    assert len(for_many) == len(for_few)


@pytest.mark.usefixtures("history")
def test_a_large_list_is_counted_up_to_a_bound_and_then_estimated(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 1000)
    with CaptureQueriesContext(connection) as queries:
        html = admin_client.get("/admin/conversations/message/").content.decode()

    found = re.search(r"共约 (\d+) 条，可翻到前 1000 条", html)
    assert found is not None
    assert ROWS * 0.5 <= int(found[1]) <= ROWS * 2
    counts = [
        query["sql"]
        for query in queries
        if "COUNT(*)" in query["sql"] and "message" in query["sql"]
    ]
    assert all("LIMIT 1001" in sql or connection.vendor == "sqlite" for sql in counts)
    assert (
        "超过 1000 条"
        in admin_client.get("/admin/conversations/message/?state=answered").content.decode()
    )
    assert (
        "共 600 条"
        in admin_client.get("/admin/conversations/message/?state=ignored").content.decode()
    )
