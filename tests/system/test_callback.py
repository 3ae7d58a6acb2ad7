"""The door from outside: what is refused, and that one bad push spoils nothing for the others."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest

from tests.at_once import at_once
from tests.system.shop import FAQ_ANSWER, QUESTION, SORRY, Phone, Shop

pytestmark = pytest.mark.system

Query = dict[str, str]


def post(phone: Phone, query: Query, body: bytes) -> http.client.HTTPResponse:
    target = urlsplit(phone.shop.bases[0])
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=5)
    try:
        connection.request("POST", f"{phone.side.path}?{urlencode(query)}", body)
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def signed(
    phone: Phone, body: bytes, *, at: int | None = None, nonce: str = "n"
) -> tuple[Query, bytes]:
    """Plain mode: any body, rightly signed."""
    timestamp = str(at or int(time.time()))
    return {
        "signature": phone.side.sign(timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }, body


def encrypted_as(phone: Phone, cipher: str) -> tuple[Query, bytes]:
    """Safe mode: any ciphertext, rightly signed."""
    timestamp, nonce = str(int(time.time())), "n"
    query = {"signature": phone.side.sign(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    query |= {"encrypt_type": "aes", "msg_signature": phone.side.sign(timestamp, nonce, cipher)}
    return query, f"<xml><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode()


def _wrong_signature(phone: Phone) -> tuple[Query, bytes]:
    query, body = phone.side.seal(phone.side.text(phone.openid, "你好"))
    return query | {"msg_signature": "0" * 40}, body


def _other_account(phone: Phone) -> tuple[Query, bytes]:
    phone.side.account = replace(phone.side.account, app_id="wx9999999999999999")
    return phone.side.seal(phone.side.text(phone.openid, "你好"))


def _no_nonce(phone: Phone) -> tuple[Query, bytes]:
    query, body = phone.side.seal(phone.side.text(phone.openid, "你好"))
    del query["nonce"]
    return query, body


def _two_hours_old(phone: Phone) -> tuple[Query, bytes]:
    return signed(
        phone, phone.side.text(phone.openid, "你好").xml.encode(), at=int(time.time()) - 7200
    )


def _too_long(phone: Phone) -> tuple[Query, bytes]:
    return signed(phone, phone.side.text(phone.openid, "好" * 30_000).xml.encode())


def _not_xml(phone: Phone) -> tuple[Query, bytes]:
    return signed(phone, b'{"text": "hello"}')


def _entities(phone: Phone) -> tuple[Query, bytes]:
    bomb = '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;">]>'
    return signed(phone, f"{bomb}{phone.side.text(phone.openid, 'x').xml}".encode())


def _no_base64(phone: Phone) -> tuple[Query, bytes]:
    return encrypted_as(phone, "%%%not base64%%%")


def _wrong_padding(phone: Phone) -> tuple[Query, bytes]:
    return encrypted_as(phone, base64.b64encode(os.urandom(64)).decode())


def get(phone: Phone, query: Query) -> tuple[int, bytes]:
    target = urlsplit(phone.shop.bases[0])
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=5)
    connection.request("GET", f"{phone.side.path}?{urlencode(query)}")
    response = connection.getresponse()
    return response.status, response.read()


def test_it_returns_the_echo_of_a_handshake_that_is_signed(shop: Shop) -> None:
    phone = shop.phone("unverified", "oHandshake")
    query, _ = signed(phone, b"")

    assert get(phone, query | {"echostr": "5837492"}) == (200, b"5837492")
    assert get(phone, query | {"echostr": "5837492", "nonce": "other"}) == (403, b"forbidden")


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_it_replies_in_the_mode_in_which_it_was_asked(shop: Shop, mode) -> None:
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
def test_it_refuses_in_one_log_line_and_stores_nothing(shop: Shop, forge, status: int) -> None:
    phone = shop.phone("verified", "oForger")
    spoken_before = len(shop.webs[0].words)

    response = post(phone, *forge(phone))

    assert response.status == status
    assert shop.rows("SELECT COUNT(*) FROM conversations_message") == [(0,)]
    said = _said_since(shop, spoken_before)
    assert len(said.splitlines()) == 1, said
    assert " WARNING webhook.refusals account " in said


def test_it_names_both_clocks_when_a_push_is_too_old(shop: Shop) -> None:
    phone = shop.phone("verified", "oClocks")
    spoken_before = len(shop.webs[0].words)

    post(phone, *_two_hours_old(phone))

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

    query, body = signed(phone, pushes[useless])
    response = post(phone, query, body)

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


def read_all(connection) -> bytes:
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
    refused = [post(phone, *phone.side.seal(push)) for push in pushes[21:]]
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
