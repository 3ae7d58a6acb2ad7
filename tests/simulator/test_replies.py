"""What WeChat makes of an answer."""

from __future__ import annotations

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from simulator.credentials import credentials
from simulator.models import Mode, Outcome
from simulator.replies import Reading, read


def reading(xml: str | bytes, *, mode: str = Mode.PLAIN, status: int = 200) -> Reading:
    body = xml if isinstance(xml, bytes) else xml.encode()
    return read(status, body, keys=credentials(), mode=mode, openid="oCustomer")


def reply(content: str = "您好", **changed: str) -> str:
    fields = {
        "ToUserName": "oCustomer",
        "FromUserName": credentials().original_id,
        "CreateTime": "1700000000",
        "MsgType": "text",
        "Content": f"<![CDATA[{content}]]>",
    } | changed
    return (
        "<xml>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields.items()) + "</xml>"
    )


@pytest.mark.parametrize("body", [b"", b"success"])
def test_it_shows_nothing_and_does_not_repeat_for_success(body: bytes) -> None:
    found = reading(body)
    assert (found.outcome, found.text, found.repeats, found.is_failure) == (
        Outcome.SUCCESS,
        "",
        False,
        False,
    )


def test_it_shows_a_text() -> None:
    assert reading(reply("七天内可以退货。")).text == "七天内可以退货。"


def test_it_shows_an_encrypted_text_in_safe_mode() -> None:
    keys = credentials()
    envelope = WeChatCrypto(keys.token, keys.aes_key, keys.app_id).encrypt_message(
        reply("好"), "n1"
    )
    assert reading(envelope, mode=Mode.SAFE).text == "好"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"errcode": 1}', "not_xml"),
        ("<html><body>502 Bad Gateway</body></html>", "wrong_root"),
        ("<xml><a>", "not_xml"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>', "not_xml"),
        (reply(""), "empty_text"),
        (reply("长" * 683), "too_long"),
        (reply(ToUserName="oSomebodyElse"), "wrong_names"),
        (reply(FromUserName="gh_other"), "wrong_names"),
        (reply(CreateTime="now"), "bad_create_time"),
        (reply(MsgType="poem"), "unknown_kind:poem"),
        (b"\xff\xfe<", "not_xml"),
    ],
)
def test_it_shows_the_failure_notice_for_a_body_that_it_cannot_read(
    body: str | bytes, reason: str
) -> None:
    found = reading(body)
    assert (found.outcome, found.reason, found.repeats, found.is_failure) == (
        Outcome.UNREADABLE,
        reason,
        False,
        True,
    )


def test_it_takes_a_text_at_the_limit() -> None:
    assert len(reading(reply("a" * 2048)).text) == 2048


def test_it_wants_replies_encrypted_in_safe_mode() -> None:
    assert reading(reply(), mode=Mode.SAFE).reason == "not_encrypted"


@pytest.mark.parametrize("cipher", ["AAAA", "not base64!", "", "QUFBQUFBQUFBQUFBQUFBQQ=="])
def test_a_cipher_that_cannot_be_opened_is_unreadable_not_a_crash(cipher: str) -> None:
    signer = WeChatSigner()
    signer.add_data(credentials().token, "1700000000", "n1", cipher)
    envelope = (
        f"<xml><Encrypt>{cipher}</Encrypt><MsgSignature>{signer.signature}</MsgSignature>"
        "<TimeStamp>1700000000</TimeStamp><Nonce>n1</Nonce></xml>"
    )
    found = reading(envelope, mode=Mode.SAFE)
    assert found.outcome == Outcome.UNREADABLE
    assert found.reason in ("not_decryptable", "wrong_app_id")


@pytest.mark.parametrize("status", [301, 429, 500, 502])
def test_another_status_than_200_is_a_failure_and_no_cause_to_repeat(status: int) -> None:
    found = reading(b"success", status=status)
    assert (found.outcome, found.repeats, found.is_failure) == (Outcome.REFUSED, False, True)


def test_a_message_for_the_native_desk_shows_nothing() -> None:
    found = reading(reply(MsgType="transfer_customer_service"))
    assert (found.outcome, found.text) == (Outcome.REPLIED, "")
