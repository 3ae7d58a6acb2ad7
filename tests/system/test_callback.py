"""The door from outside: what is refused, and that one bad push spoils nothing for the others."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.at_once import at_once
from tests.system.shop import FAQ_ANSWER, QUESTION, SORRY, Phone, Shop
from tests.worlds.poster import Mode, Request, plain, sealed, sealed_as

pytestmark = pytest.mark.system


def post(phone: Phone, request: Request) -> http.client.HTTPResponse:
    target = urlsplit(phone.shop.bases[0])
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=5)
    try:
        connection.request(request.method, request.target, request.body)
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def xml_of(phone: Phone, text: str = "你好") -> str:
    return phone.side.text(phone.openid, text).xml


def _wrong_signature(phone: Phone) -> Request:
    return sealed(phone.side.account, xml_of(phone), msg_signature="0" * 40)


def _other_account(phone: Phone) -> Request:
    return sealed(phone.side.account, xml_of(phone), app_id="wx9999999999999999")


def _no_nonce(phone: Phone) -> Request:
    return sealed(phone.side.account, xml_of(phone), nonce=None)


def _two_hours_old(phone: Phone) -> Request:
    return plain(phone.side.account, xml_of(phone), age=7200)


def _too_long(phone: Phone) -> Request:
    return plain(phone.side.account, xml_of(phone, "好" * 30_000))


def _not_xml(phone: Phone) -> Request:
    return plain(phone.side.account, '{"text": "hello"}')


def _entities(phone: Phone) -> Request:
    bomb = '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;">]>'
    return plain(phone.side.account, bomb + xml_of(phone, "x"))


def _no_base64(phone: Phone) -> Request:
    return sealed_as(phone.side.account, "%%%not base64%%%")


def _wrong_padding(phone: Phone) -> Request:
    return sealed_as(phone.side.account, base64.b64encode(os.urandom(64)).decode())


def get(phone: Phone, **changed: str) -> tuple[int, bytes]:
    """The handshake, signed and then changed."""
    request = plain(phone.side.account, b"", **changed)
    target = urlsplit(phone.shop.bases[0])
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=5)
    connection.request("GET", request.target)
    response = connection.getresponse()
    return response.status, response.read()


def test_it_returns_the_echo_of_a_handshake_that_is_signed(shop: Shop) -> None:
    phone = shop.phone("unverified", "oHandshake")

    assert get(phone, echostr="5837492") == (200, b"5837492")
    assert get(phone, echostr="5837492", nonce="other") == (403, b"forbidden")


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_it_replies_in_the_mode_in_which_it_was_asked(shop: Shop, mode: Mode) -> None:
    phone = shop.phone("verified", "oMode")
    phone.side.mode = mode

    (delivery,) = phone.say(QUESTION).deliveries

    assert phone.text_of(delivery) == FAQ_ANSWER
    assert (b"<Encrypt>" in delivery.body) == (mode != "plain")


REFUSED = [_wrong_signature, _other_account, _no_nonce, _two_hours_old]
NOT_UNDERSTOOD = [_too_long, _not_xml, _entities, _no_base64, _wrong_padding]


def _said_since(shop: Shop, before: int) -> str:
    """A refusal within a second of the one before is told when the second is over."""
    shop.wait_until(lambda: "\n" in shop.webs[0].words[before:], 5, "the refusal is in the log")
    return shop.webs[0].words[before:]


@pytest.mark.parametrize(
    ("forge", "status"), [*((f, 403) for f in REFUSED), *((f, 400) for f in NOT_UNDERSTOOD)]
)
def test_it_refuses_in_one_log_line_and_stores_nothing(
    shop: Shop, forge: Callable[[Phone], Request], status: int
) -> None:
    phone = shop.phone("verified", "oForger")
    spoken_before = len(shop.webs[0].words)

    response = post(phone, forge(phone))

    assert response.status == status
    assert shop.rows("SELECT COUNT(*) FROM conversations_message") == [(0,)]
    said = _said_since(shop, spoken_before)
    assert len(said.splitlines()) == 1, said
    assert " WARNING webhook.refusals account " in said


def test_it_names_both_clocks_when_a_push_is_too_old(shop: Shop) -> None:
    phone = shop.phone("verified", "oClocks")
    spoken_before = len(shop.webs[0].words)

    post(phone, _two_hours_old(phone))

    said = _said_since(shop, spoken_before)
    assert f"WeChat's clock {time.strftime('%Y-%m-%d', time.gmtime(time.time() - 7200))}" in said
    assert "ours " in said


def test_it_refuses_a_stranger_whose_body_has_not_even_come(shop: Shop) -> None:
    target = urlsplit(shop.bases[0])
    head = (
        "POST /wechat?encrypt_type=aes&timestamp=1&nonce=1&signature=0 HTTP/1.1\r\n"
        f"Host: {target.netloc}\r\nContent-Length: 65536\r\n\r\n"
    )
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=5) as stranger:
        stranger.sendall(head.encode())
        response = http.client.HTTPResponse(stranger)
        response.begin()
        assert response.status == 403


@pytest.mark.parametrize("useless", ["<xml/>", "a text without Content", "an unknown kind"])
def test_it_keeps_what_is_signed_but_useless_and_says_success(shop: Shop, useless: str) -> None:
    phone = shop.phone("verified", "oUseless")
    pushes = {
        "<xml/>": b"<xml/>",
        "a text without Content": phone.side.message(phone.openid, "").xml.encode(),
        "an unknown kind": phone.side.message(phone.openid, "", kind="hologram").xml.encode(),
    }

    response = post(phone, plain(phone.side.account, pushes[useless]))

    assert response.status == 200
    assert response.getheader("content-length") == str(len(b"success"))
    (stored,) = shop.rows("SELECT raw, state FROM conversations_message")
    assert stored == (pushes[useless].decode(), "ignored")
    assert shop.wechat.sent == []


@pytest.fixture
def refused_row(shop: Shop) -> Iterator[str]:
    """The database refuses rows with this text, as it does with data that no
    check of ours foresaw.
    """
    text, name = "数据库不收这一行", "refuse_one_text"
    refuse = {
        "sqlite": "SELECT RAISE(ABORT, 'told to refuse');",
        "mysql": "SIGNAL SQLSTATE '22001' SET MYSQL_ERRNO = 1406, MESSAGE_TEXT = 'told to refuse';",
    }["mysql" if shop.database.url.startswith("mysql") else "sqlite"]
    when = (
        "WHEN NEW.text = '{}' BEGIN {} END"
        if "RAISE" in refuse
        else "BEGIN IF NEW.text = '{}' THEN {} END IF; END"
    )
    head = f"CREATE TRIGGER {name} BEFORE INSERT ON conversations_message FOR EACH ROW "
    shop.rows(head + when.format(text, refuse))
    yield text
    shop.rows(f"DROP TRIGGER {name}")


def test_only_the_bad_one_of_forty_that_arrive_together_fails(shop: Shop, refused_row: str) -> None:
    phones = [shop.phone("verified", f"oOneOfForty{number}") for number in range(40)]
    texts = [refused_row if number == 17 else QUESTION for number in range(40)]
    sides = [phone.side.text(phone.openid, text) for phone, text in zip(phones, texts, strict=True)]
    connections = []

    shop.webs[0].freeze()
    try:
        connections = [phone.send_unread(push) for phone, push in zip(phones, sides, strict=True)]
    finally:
        shop.webs[0].thaw()
    answers = at_once(*[lambda c=c: read_all(c) for c in connections])

    read = [phone.side.read_text(answer) for phone, answer in zip(phones, answers, strict=True)]
    assert read == [SORRY if number == 17 else FAQ_ANSWER for number in range(40)]
    assert [len(phone.messages) for phone in phones] == [
        0 if number == 17 else 1 for number in range(40)
    ]


def read_all(connection: socket.socket) -> bytes:
    with connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 200
        return response.read()


def test_it_answers_a_flood_with_a_word_and_then_with_429(shop: Shop) -> None:
    phone = shop.phone("verified", "oFlood")
    shop.phone("verified", "oCalm")
    pushes = [phone.side.text(phone.openid, QUESTION) for _ in range(23)]

    read = [phone.text_of(phone.deliver(push)) for push in pushes[:21]]
    word_again = phone.text_of(phone.deliver(pushes[20], web=1))
    refused = [post(phone, phone.side.seal(push)) for push in pushes[21:]]
    known = phone.text_of(phone.deliver(pushes[3], web=1))
    other = shop.phone("verified", "oCalm").say(QUESTION).text

    assert read[:20] == [FAQ_ANSWER] * 20
    assert read[20] == word_again == "您发送得有点快，请稍等一分钟再发。"
    assert [(answer.status, answer.getheader("content-length")) for answer in refused] == [
        (429, "0")
    ] * 2
    assert all(0 < int(answer.getheader("retry-after") or 0) <= 60 for answer in refused)
    assert known == other == FAQ_ANSWER
    assert len(phone.messages) == 21
    assert shop.model.calls == 0
    shop.wait_until(
        lambda: any("sends too fast" in web.words for web in shop.webs), what="the log says it"
    )
