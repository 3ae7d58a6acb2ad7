"""Pushes as another implementation sees them: wechatpy on one side, our own door on the other."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from simulator import pushes
from simulator.credentials import credentials
from simulator.envelope import Sealed, Unreadable, open_reply, seal
from simulator.models import Mode
from simulator.pushes import Push
from tests.wechat.vectors import open_envelope
from wechat.crypto import Account
from wechat.parsing import parse

WORDS = "鞋子小了能换吗😀 <b>&amp; ]]> 完"


def text_push() -> Push:
    return Push(
        follower_id=1, openid="oCustomer", kind="text", fields=pushes.text(WORDS, option_id="7")
    )


def query_of(sealed: Sealed) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(sealed.url).query).items()}


def crypto() -> WeChatCrypto:
    keys = credentials()
    return WeChatCrypto(keys.token, keys.aes_key, keys.app_id)


@pytest.mark.parametrize("mode", [Mode.SAFE, Mode.COMPATIBLE])
def test_it_encrypts_so_that_wechatpy_reads_the_push(mode: str) -> None:
    sealed = seal(text_push(), credentials(), mode)
    query = query_of(sealed)
    clear = crypto().decrypt_message(
        sealed.body, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    message = parse_message(clear)
    assert (message.source, message.type, message.content) == ("oCustomer", "text", WORDS)


@pytest.mark.parametrize("mode", Mode.values)
def test_it_signs_so_that_our_door_opens(mode: str) -> None:
    keys = credentials()
    ours = Account(
        account_id=1, slug="simulator", app_id=keys.app_id, token=keys.token, aes_key=keys.aes_key
    )
    push = text_push()
    sealed = seal(push, keys, mode)
    incoming = parse(open_envelope(ours, query_of(sealed), sealed.body).xml)
    assert (incoming.openid, incoming.text, incoming.option_id) == ("oCustomer", WORDS, "7")
    assert incoming.msg_id == push.push_id


def test_it_hides_the_words_in_safe_mode() -> None:
    sealed = seal(text_push(), credentials(), Mode.SAFE)
    assert "鞋子" in sealed.clear
    assert "鞋子".encode() not in sealed.body


def test_it_sends_the_words_and_the_cipher_in_compatible_mode() -> None:
    sealed = seal(text_push(), credentials(), Mode.COMPATIBLE)
    assert "鞋子".encode() in sealed.body
    assert b"<Encrypt>" in sealed.body


def test_each_delivery_has_a_nonce_of_its_own() -> None:
    push, keys = text_push(), credentials()
    assert (
        query_of(seal(push, keys, Mode.SAFE))["nonce"]
        != query_of(seal(push, keys, Mode.SAFE))["nonce"]
    )


def test_it_opens_what_wechatpy_encrypted() -> None:
    assert (
        open_reply(
            crypto().encrypt_message("<xml>好</xml>", "n1").encode(), credentials(), Mode.SAFE
        )
        == "<xml>好</xml>"
    )


def test_it_refuses_a_reply_whose_signature_is_wrong() -> None:
    envelope = crypto().encrypt_message("<xml>好</xml>", "n1").replace("n1", "n2")
    with pytest.raises(Unreadable, match="bad_signature"):
        open_reply(envelope.encode(), credentials(), Mode.SAFE)


def test_it_refuses_a_reply_for_another_app_id() -> None:
    keys = credentials()
    foreign = WeChatCrypto(keys.token, keys.aes_key, "wxforeign").encrypt_message("<xml/>", "n1")
    with pytest.raises(Unreadable, match="wrong_app_id"):
        open_reply(foreign.encode(), keys, Mode.SAFE)


def test_an_event_has_no_msg_id_and_a_message_a_growing_one() -> None:
    event = Push(
        follower_id=1, openid="o", kind="event.subscribe", fields=pushes.event("subscribe")
    )
    assert "<MsgId>" not in event.xml(credentials())
    first, second = pushes.new_msg_id() >> 22, pushes.new_msg_id() >> 22
    assert first <= second
