"""Plain pushes: refused where sealed ones are to be had, and one body behind each signature
elsewhere.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from conversations.models import Message
from tests.factories import AccountFactory
from tests.knowledge.builders import absent_redis
from tests.services.process import wait_until
from tests.webhook.wire import Answer, Wire
from tests.worlds.poster import Request, opened, plain, sealed
from tests.worlds.pushes import event_xml, text_xml
from webhook import script
from wechat import accounts, crypto
from wechat.models import OfficialAccount


def status_of(wire: Wire, request: Request) -> int:
    answer = wire.send(request)
    assert isinstance(answer, Answer)
    return answer.status


class TestAnAccountWithAKey:
    @pytest.fixture
    def account(self, wire: Wire) -> OfficialAccount:
        return AccountFactory(is_default=True, encrypted_only=True)

    def test_a_url_from_a_log_opens_nothing_without_its_encryption(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        logged = sealed(account, text_xml())
        query = logged.query.replace("encrypt_type=aes", "").partition("&msg_signature")[0]
        stolen = replace(logged, query=query, body=text_xml("转人工").encode())
        assert status_of(wire, stolen) == 403
        assert not Message.objects.exists()

    def test_one_line_of_the_log_and_the_page_say_what_to_change(
        self, wire: Wire, account: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert status_of(wire, plain(account, text_xml())) == 403
        [line] = [one.getMessage() for one in caplog.records if account.slug in one.getMessage()]
        assert "域名与消息推送配置" in line
        assert "安全模式" in line
        assert "WECHAT_ENCRYPTED_ONLY" in line
        wait_until(lambda: OfficialAccount.objects.get().plain_refused_at is not None)

    def test_a_flood_of_plain_pushes_writes_to_the_account_once(
        self, wire: Wire, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noted: list[int] = []
        monkeypatch.setattr(accounts, "note_refused_plain", noted.append)
        for _ in range(5):
            assert status_of(wire, plain(account, text_xml())) == 403
        wait_until(lambda: noted)
        assert noted == [account.pk]

    @pytest.mark.parametrize("beside", ["", text_xml("这一句没有签名")])
    def test_safe_and_compatible_mode_are_opened(
        self, wire: Wire, account: OfficialAccount, beside: str
    ) -> None:
        request = sealed(account, event_xml("CLICK", "<EventKey>怎么退货</EventKey>"))
        if beside:
            envelope = beside.replace("</xml>", "").encode() + request.body.removeprefix(b"<xml>")
            request = replace(request, body=envelope)
        answer = wire.send(request)
        assert answer is not None
        assert opened(answer.body, account)
        assert Message.objects.get().kind == "event.click"

    def test_the_operator_may_take_plain_ones_beside(self, wire: Wire) -> None:
        account = AccountFactory(is_default=True, encrypted_only=False)
        assert status_of(wire, plain(account, "<xml/>")) == 200
        assert status_of(wire, sealed(account, "<xml/>")) == 200

    def test_an_account_that_gets_a_key_is_closed_by_itself(self, wire: Wire) -> None:
        account = AccountFactory(is_default=True, aes_key="", encrypted_only=True)
        assert status_of(wire, plain(account, "<xml/>")) == 200
        account.replace_aes_key("N" * 43)
        account.save()
        accounts.changed()
        assert status_of(wire, plain(account, "<xml/>")) == 403


class TestAnAccountWithoutAKey:
    @pytest.fixture
    def account(self, wire: Wire) -> OfficialAccount:
        return AccountFactory(is_default=True, aes_key="", encrypted_only=True)

    def other_words(self, request: Request) -> Request:
        return replace(request, body=text_xml("转人工").encode())

    def test_another_body_behind_the_same_signature_is_refused(
        self, wire: Wire, account: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        logged = plain(account, "<xml/>")
        assert status_of(wire, logged) == 200
        assert status_of(wire, self.other_words(logged)) == 403
        assert Message.objects.get().raw == "<xml/>"
        [line] = [one.getMessage() for one in caplog.records if "another body" in one.getMessage()]
        assert account.slug in line

    def test_the_same_body_is_taken_as_often_as_it_comes(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        request = plain(account, "<xml/>")
        assert [status_of(wire, request) for _ in range(3)] == [200] * 3
        assert Message.objects.get().deliveries == 3

    def test_after_a_forged_body_the_true_one_still_passes(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        request = plain(account, "<xml/>")
        assert status_of(wire, request) == 200
        assert status_of(wire, self.other_words(request)) == 403
        assert status_of(wire, request) == 200

    def test_other_timestamps_and_nonces_have_bodies_of_their_own(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        for xml in ("<xml/>", "<xml><MsgType>other</MsgType></xml>"):
            assert status_of(wire, plain(account, xml)) == 200
        assert Message.objects.count() == 2

    def test_a_nonce_and_a_timestamp_that_are_cut_elsewhere_are_the_same(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        """Both make the same text, so the same signature fits them."""
        first = plain(account, "<xml/>")
        moment = str(int(time.time()))
        signature = crypto.signature(account.token, moment, "00")
        query = f"timestamp={moment}&nonce=00&signature={signature}"
        recut = f"timestamp=0{moment}&nonce=0&signature={signature}"
        assert status_of(wire, replace(first, query=query)) == 200
        assert status_of(wire, replace(first, query=recut)) == 200
        assert status_of(wire, self.other_words(replace(first, query=recut))) == 403

    def test_while_redis_is_away_it_is_taken(
        self, wire: Wire, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script, "redis", absent_redis)
        request = plain(account, "<xml/>")
        assert status_of(wire, request) == 200
        assert status_of(wire, replace(request, body=b"<xml><MsgType>other</MsgType></xml>")) == 200

    def test_of_a_batch_only_the_forged_one_is_refused(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        logged = plain(account, "<xml/>")
        assert status_of(wire, logged) == 200
        honest = [plain(account, f"<xml><MsgType>{number}</MsgType></xml>") for number in range(5)]
        requests: list[Any] = [*honest, self.other_words(logged)]
        answers = [delivery.answer() for delivery in [wire.start(one) for one in requests]]
        assert [answer.status for answer in answers if answer] == [200] * 5 + [403]
