"""An import never keeps a customer's message waiting: its preview only reads, its rows are written
in slices.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from conversations.models import Message
from knowledge.exchange import import_writing
from knowledge.exchange.faqs import import_rows
from knowledge.exchange.import_writing import SLICE_ROWS, KnowledgeMoved
from knowledge.exchange.row_checks import RowChecks
from knowledge.models import FAQ, Phrasing
from tests.factories import AccountFactory
from tests.knowledge.builders import make_faq
from tests.knowledge.test_admin import confirm, upload

pytestmark = pytest.mark.django_db(transaction=True)

SLICES = 3
FILE = "问题,答案,相似问法\n" + "".join(
    f"第{number}种货怎么退,答案,第{number}种货能退吗\n" for number in range(SLICES * SLICE_ROWS)
)
# Far below the 20 s for which SQLite waits for its writer.
SECONDS = 5


class Intake:
    """Stores a customer's message on a connection of its own, as the callback's writer does."""

    def __init__(self) -> None:
        self._account = AccountFactory()
        self._thread = ThreadPoolExecutor(1)
        self.stored = 0

    def store(self) -> None:
        """Raises TimeoutError while somebody else keeps the database."""
        self._thread.submit(self._store).result(SECONDS)
        self.stored += 1

    def stop(self) -> None:
        self._thread.submit(connection.close)
        self._thread.shutdown()

    def _store(self) -> None:
        now = timezone.now()
        key = f"key-{self.stored}"
        Message.objects.create(
            account=self._account, openid="o", dedup_key=key, sent_at=now, received_at=now
        )


@pytest.fixture
def intake() -> Any:
    intake = Intake()
    yield intake
    intake.stop()


def test_a_message_is_stored_in_the_middle_of_a_preview(
    admin_client: Client, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = RowChecks.check

    def check_and_store(checks: RowChecks, row: Any) -> None:
        check(checks, row)
        intake.store()

    monkeypatch.setattr(RowChecks, "check", check_and_store)

    upload(admin_client, "问题,答案\n怎么退货,七天内\n怎么换货,七天内\n".encode())

    assert intake.stored == 2


def test_a_message_is_stored_between_two_slices_of_an_import(
    admin_client: Client, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_writing, "pause_after", lambda seconds: intake.store())

    confirm(admin_client, upload(admin_client, FILE.encode()))

    assert intake.stored == SLICES - 1
    assert FAQ.objects.count() == SLICES * SLICE_ROWS


def test_a_slice_of_faqs_with_many_phrasings_has_fewer_rows(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_writing, "pause_after", lambda seconds: intake.store())
    rows = [
        f"第{row}种货,答案,{'|'.join(f'第{row}种货{way}' for way in range(400))}\n"
        for row in range(6)
    ]

    import_rows("问题,答案,相似问法\n" + "".join(rows))

    assert intake.stored == 2
    assert Phrasing.objects.count() == 2400


def test_an_edit_between_two_slices_stops_the_import_and_the_same_file_completes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_writing, "pause_after", lambda seconds: make_faq("门店在哪里"))

    with pytest.raises(KnowledgeMoved, match=f"前 {SLICE_ROWS} 条已写入"):
        import_rows(FILE)
    assert FAQ.objects.count() == SLICE_ROWS + 1

    monkeypatch.undo()
    result = import_rows(FILE)
    assert (result.new, result.unchanged) == ((SLICES - 1) * SLICE_ROWS, SLICE_ROWS)


def test_an_edit_after_the_check_keeps_all_rows_out(monkeypatch: pytest.MonkeyPatch) -> None:
    check = RowChecks.check

    def check_and_edit(checks: RowChecks, row: Any) -> None:
        check(checks, row)
        make_faq(f"门店{row['question']}")

    monkeypatch.setattr(RowChecks, "check", check_and_edit)

    with pytest.raises(KnowledgeMoved, match="导入没有进行"):
        import_rows("问题,答案\n怎么退货,七天内\n")
    assert not FAQ.objects.filter(question="怎么退货").exists()
