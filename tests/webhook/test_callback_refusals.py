"""What the callback does not take: forged, foreign, old or broken pushes. One log line, nothing
stored.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from common.fresh import forget_all
from conversations.models import Message
from tests.factories import AccountFactory
from tests.services.process import wait_until
from tests.webhook.wire import Wire
from tests.worlds.poster import Request, Seal, encrypt, plain, sealed, sealed_as, signature
from tests.worlds.pushes import event_xml, message_xml, text_xml
from webhook import refusals
from webhook.http import MAX_BODY
from wechat import accounts
from wechat.models import OfficialAccount


@pytest.fixture
def account(wire: Wire) -> OfficialAccount:
    return AccountFactory(is_default=True)


@pytest.fixture
def known(gate: Wire) -> OfficialAccount:
    """An account that the process has read: no thread of the callback looks at the database any
    more.
    """
    account = AccountFactory(is_default=True)
    accounts.by_slug(None)
    return account


def refused(wire: Wire, request: Request, status: int, caplog: pytest.LogCaptureFixture) -> str:
    """The one log line of a refused push."""
    caplog.clear()
    refusals.forget()
    answer = wire.send(request)
    assert answer is not None
    assert answer.status == status
    assert not Message.objects.exists()
    [record] = [
        one
        for one in caplog.records
        if one.name.split(".")[0] in ("webhook", "wechat", "conversations")
    ]
    assert record.exc_info is None
    return record.getMessage()


class TestForbidden:
    @pytest.mark.parametrize("seal", [plain, sealed])
    def test_it_refuses_a_wrong_signature(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, seal: Seal
    ) -> None:
        wrong = {
            "signature" if seal is plain else "msg_signature": hashlib.sha1(b"forged").hexdigest()
        }
        line = refused(gate, seal(known, text_xml(), **wrong), 403, caplog)
        assert known.slug in line

    def test_it_refuses_what_another_account_signed(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = AccountFactory(token="anotherToken")
        refused(gate, replace(plain(other, text_xml()), path=f"/wechat/{known.slug}"), 403, caplog)

    def test_it_refuses_another_appid(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert "appid" in refused(
            gate, sealed(known, text_xml(), app_id="wx9999999999999999"), 403, caplog
        )

    @pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
    def test_it_refuses_a_push_that_lacks_a_parameter(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        assert name in refused(gate, plain(known, text_xml(), **{name: None}), 403, caplog)

    @pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
    def test_it_refuses_a_sealed_push_that_lacks_a_parameter(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        refused(gate, sealed(known, text_xml(), **{name: None}), 403, caplog)

    @pytest.mark.parametrize("age", [3700, -3700])
    @pytest.mark.parametrize("seal", [plain, sealed])
    def test_it_refuses_a_push_from_long_ago_and_names_both_clocks(
        self,
        gate: Wire,
        known: OfficialAccount,
        caplog: pytest.LogCaptureFixture,
        seal: Seal,
        age: int,
    ) -> None:
        line = refused(gate, seal(known, text_xml(), age=age), 403, caplog)
        theirs, ours = datetime.fromtimestamp(time.time() - age, UTC), datetime.now(UTC)
        assert f"WeChat's clock {theirs:%F %H:}" in line
        assert f"ours {ours:%F %H:}" in line

    @pytest.mark.parametrize(
        "timestamp", ["yesterday", "99999999999999999999", "-1", "1e9", "9" * 400]
    )
    def test_it_refuses_a_time_that_is_none(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, timestamp: str
    ) -> None:
        signed = signature(known.token, timestamp, "n")
        query = urlencode({"timestamp": timestamp, "nonce": "n", "signature": signed})
        refused(
            gate, Request(query, text_xml().encode(), path=f"/wechat/{known.slug}"), 403, caplog
        )


# The costliest bodies for whoever looks for `<Encrypt>` in them.
WHITE_SPACE = b"<xml><Encrypt>" + b" " * (MAX_BODY - 64)
HOSTILE = {
    "white space": WHITE_SPACE,
    "white space before the root": b" " * MAX_BODY,
    "a declaration without end": b"<?xml " + b"?" * (MAX_BODY - 64),
    "white space between many": b"<xml>" + b"<Encrypt> " * (MAX_BODY // 11),
    "many that open, one that closes": b"<xml>" + b"<Encrypt>" * (MAX_BODY // 10) + b"</Encrypt>",
    "many that close": b"<xml><Encrypt>" + b" </Encrypt>" * (MAX_BODY // 12),
    "open CDATA": b"<xml><Encrypt>" + b" <![CDATA[" * (MAX_BODY // 11),
}
every_hostile_body = pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)


class TestStrangers:
    """Who does not know the token is refused by the query alone."""

    def start(self, gate: Wire, request: Request) -> tuple[int, bool]:
        """The status, and whether the body was asked for."""
        delivery = gate.start(request)
        answer = delivery.answer()
        assert answer is not None
        return answer.status, delivery.body_was_touched

    @pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
    @pytest.mark.parametrize("value", ["0" * 40, None])
    @pytest.mark.parametrize("seal", [plain, sealed])
    def test_it_reads_nothing_of_what_a_stranger_sends(
        self, gate: Wire, known: OfficialAccount, name: str, value: str | None, seal: Seal
    ) -> None:
        request = seal(known, text_xml(), **{name: value})
        assert self.start(gate, request) == (403, False)

    @pytest.mark.parametrize("seal", [plain, sealed])
    def test_it_reads_nothing_of_what_is_too_old(
        self, gate: Wire, known: OfficialAccount, seal: Seal
    ) -> None:
        request = seal(known, text_xml(), age=3700)
        assert self.start(gate, request) == (403, False)

    def test_it_reads_nothing_where_the_signature_of_the_body_is_missing(
        self, gate: Wire, known: OfficialAccount
    ) -> None:
        assert self.start(gate, sealed(known, text_xml(), msg_signature=None)) == (403, False)

    @every_hostile_body
    def test_a_hostile_body_without_a_signature_costs_nothing(
        self, gate: Wire, known: OfficialAccount, body: bytes
    ) -> None:
        request = Request(
            "encrypt_type=aes&timestamp=1&nonce=1", body, path=f"/wechat/{known.slug}"
        )
        assert self.start(gate, request) == (403, False)

    @every_hostile_body
    def test_a_hostile_body_is_refused_also_behind_a_signature_from_a_log(
        self, gate: Wire, known: OfficialAccount, body: bytes
    ) -> None:
        answer = gate.send(replace(sealed(known, text_xml()), body=body))
        assert answer is not None
        assert answer.status in (400, 403)

    def test_the_signature_of_the_body_still_decides(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        forged = encrypt(known, text_xml())
        request = sealed(known, text_xml())
        body = f"<xml><Encrypt><![CDATA[{forged}]]></Encrypt></xml>".encode()
        assert "msg_signature" in refused(gate, replace(request, body=body), 403, caplog)


class TestBadRequests:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"hello",
            b"{}",
            b"<xml><Content>unfinished",
            b"<html><body/></html>",
            b"\xff\xfe\x00",
            b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Content>&a;</Content></xml>',
            b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        ],
    )
    def test_it_refuses_what_is_no_push(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, body: bytes
    ) -> None:
        refused(gate, plain(known, body), 400, caplog)

    def test_it_refuses_a_body_that_is_too_long(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        refused(gate, plain(known, text_xml("长" * MAX_BODY)), 400, caplog)
        refused(gate, sealed(known, text_xml("长" * MAX_BODY)), 400, caplog)

    @pytest.mark.parametrize(
        "encrypted",
        [
            *("not base64!", "abc", "", "=" * 44, "密文", "QUJD" * 16 + "é", "QUJD\x00"),
            *(b64encode(b"x" * 15).decode(), b64encode(b"x" * 64).decode()),
        ],
    )
    def test_it_refuses_what_cannot_be_opened(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, encrypted: str
    ) -> None:
        refused(gate, sealed_as(known, encrypted), 400, caplog)

    def test_it_refuses_an_envelope_without_anything_in_it(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        refused(
            gate, replace(sealed(known, text_xml()), body=b"<xml><Encrypt/></xml>"), 400, caplog
        )

    def test_a_forged_long_body_is_forbidden_rather_than_bad(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        refused(gate, plain(known, "x" * (MAX_BODY + 1), signature="f" * 40), 403, caplog)


class TestTheHandshake:
    def handshake(self, known: OfficialAccount, **changed: str | None) -> Request:
        return replace(plain(known, b"", echostr="4375120948345356249", **changed), method="GET")

    def test_it_sends_the_echostr_back_and_nothing_else(
        self, gate: Wire, known: OfficialAccount
    ) -> None:
        answer = gate.send(self.handshake(known))
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"4375120948345356249")

    @pytest.mark.parametrize(
        "changed", [{"signature": "f" * 40}, {"signature": None}, {"echostr": None}]
    )
    def test_it_refuses_a_stranger(
        self,
        gate: Wire,
        known: OfficialAccount,
        caplog: pytest.LogCaptureFixture,
        changed: dict[str, str | None],
    ) -> None:
        request = replace(plain(known, b"", **{"echostr": "1", **changed}), method="GET")
        refused(gate, request, 403, caplog)

    @pytest.mark.parametrize("age", [3700, -3700])
    def test_it_refuses_a_handshake_from_long_ago(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture, age: int
    ) -> None:
        request = replace(plain(known, b"", age=age, echostr="1"), method="GET")
        assert "WeChat's clock" in refused(gate, request, 403, caplog)


class TestAddresses:
    def test_it_knows_no_other_account(self, wire: Wire, account: OfficialAccount) -> None:
        answer = wire.send(replace(plain(account, text_xml()), path="/wechat/nobody"))
        assert answer is not None
        assert answer.status == 404

    def test_it_knows_no_account_that_is_switched_off(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        off = AccountFactory(enabled=False)
        answer = wire.send(plain(off, text_xml()))
        assert answer is not None
        assert answer.status == 404

    @pytest.mark.parametrize("path", ["/wechat", "/wechat/"])
    def test_the_default_account_has_the_short_address_with_and_without_a_slash(
        self, wire: Wire, account: OfficialAccount, path: str
    ) -> None:
        answer = wire.send(replace(plain(account, "<xml/>"), path=path))
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"success")

    def test_a_slash_behind_the_slug_is_no_other_address(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        answer = wire.send(replace(plain(account, "<xml/>"), path=f"/wechat/{account.slug}/"))
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"success")

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
    def test_it_takes_no_other_method(
        self, wire: Wire, account: OfficialAccount, method: str
    ) -> None:
        answer = wire.send(replace(plain(account, text_xml()), method=method))
        assert answer is not None
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")

    def test_it_takes_a_push_that_is_nearly_as_old_as_allowed(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        answer = wire.send(plain(account, "<xml/>", age=3500))
        assert answer is not None
        assert answer.status == 200


class TestWhatIsOfNoUse:
    @pytest.mark.parametrize(
        "xml",
        [
            "<xml/>",
            "<xml><MsgType>text</MsgType></xml>",
            text_xml(" "),
            text_xml("你好").replace("[text]", "[telepathy]"),
            text_xml("你好").replace("MsgId", "MsgNumber"),
            text_xml("你好", openid="o" * 200),
        ],
    )
    @pytest.mark.parametrize("seal", [plain, sealed])
    def test_it_is_kept_as_it_came_and_acknowledged(
        self, wire: Wire, account: OfficialAccount, xml: str, seal: Seal
    ) -> None:
        answer = wire.send(seal(account, xml))
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"success")
        row = Message.objects.get()
        assert (row.kind, row.raw, row.state, row.conversation) == (
            "unsupported",
            xml,
            "ignored",
            None,
        )

    def test_it_is_kept_once_however_often_it_comes(
        self, wire: Wire, account: OfficialAccount
    ) -> None:
        for _ in range(3):
            answer = wire.send(plain(account, "<xml/>"))
            assert answer is not None
            assert answer.body == b"success"
        assert Message.objects.get().deliveries == 3


class TestTheLog:
    def test_a_flood_is_one_line_a_second_with_a_count(
        self,
        gate: Wire,
        known: OfficialAccount,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def lines() -> list[str]:
            return [one.getMessage() for one in caplog.records if one.name == "webhook.refusals"]

        # The second does not end while the pushes come.
        monkeypatch.setattr(refusals, "SECOND", 3600)
        refusals.forget()
        for _ in range(50):
            answer = gate.send(plain(known, text_xml(), signature="0" * 40))
            assert answer is not None
            assert answer.status == 403
        assert len(lines()) == 1
        monkeypatch.setattr(refusals, "SECOND", 0)
        wait_until(lambda: len(lines()) == 2, what="the second is over")
        assert f"account {known.slug}: 49 more refused" in lines()[1]
        assert "signature does not fit" in lines()[1]

    def test_each_account_has_its_own_line(
        self, gate: Wire, known: OfficialAccount, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = AccountFactory()
        forget_all()
        accounts.by_slug(None)
        for account in (known, other):
            gate.send(plain(account, text_xml(), signature="0" * 40))
        said = "\n".join(caplog.messages)
        assert f"account {known.slug}: push refused" in said
        assert f"account {other.slug}: push refused" in said


class TestHeaders:
    @pytest.mark.parametrize("body", ["<xml/>", "not xml"])
    def test_no_browser_takes_our_words_for_a_page(
        self, wire: Wire, account: OfficialAccount, body: str
    ) -> None:
        answer = wire.send(plain(account, body))
        assert answer is not None
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_nor_the_echo_of_a_handshake(self, gate: Wire, known: OfficialAccount) -> None:
        request = replace(plain(known, b"", echostr="<script>"), method="GET")
        answer = gate.send(request)
        assert answer is not None
        assert answer.headers["x-content-type-options"] == "nosniff"


class TestWhatCounts:
    """A customer's limit holds for all that makes a row of the customer's doing."""

    def statuses(self, wire: Wire, account: OfficialAccount, xmls: list[str]) -> list[int]:
        answers = [wire.send(plain(account, xml)) for xml in xmls]
        return [answer.status for answer in answers if answer is not None]

    def test_taps_on_the_menu_count(
        self, wire: Wire, account: OfficialAccount, settings: Settings
    ) -> None:
        settings.RATE_LIMIT_PER_MINUTE = 3
        key = "<EventKey>怎么退货</EventKey>"
        now = int(time.time())
        taps = [event_xml("CLICK", key, created=now - number) for number in range(6)]
        assert self.statuses(wire, account, taps) == [200] * 4 + [429] * 2
        assert Message.objects.count() == 4

    def test_unknown_kinds_count_and_are_never_refused(
        self, wire: Wire, account: OfficialAccount, settings: Settings
    ) -> None:
        settings.RATE_LIMIT_PER_MINUTE = 3
        unknown = [message_xml("hologram", "") for _ in range(6)]
        assert self.statuses(wire, account, unknown) == [200] * 6
        assert Message.objects.count() == 3

    def test_what_comes_by_itself_does_not_count(
        self, wire: Wire, account: OfficialAccount, settings: Settings
    ) -> None:
        settings.RATE_LIMIT_PER_MINUTE = 3
        where = "<Latitude>1</Latitude><Longitude>2</Longitude><Precision>3</Precision>"
        now = int(time.time())
        places = [event_xml("LOCATION", where, created=now - number) for number in range(6)]
        assert self.statuses(wire, account, places) == [200] * 6
        assert Message.objects.count() == 6
