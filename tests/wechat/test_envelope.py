from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from wechatpy.crypto import PrpCrypto, WeChatCrypto

from tests.wechat import vectors
from tests.wechat.vectors import A, D, E, Vector, open_envelope
from wechat import crypto
from wechat.crypto import Account

every_vector = pytest.mark.parametrize("vector", vectors.ALL, ids=lambda vector: vector.name)


def signed(vector: Vector, encrypted: str) -> dict[str, str]:
    """The query of a push whose cipher text is this one, rightly signed."""
    fits = crypto.signature(vector.token, vector.timestamp, vector.nonce, encrypted)
    return {**vector.query, "msg_signature": fits}


def envelope(encrypted: str) -> bytes:
    sealed = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>"
    return f"<xml><ToUserName><![CDATA[gh]]></ToUserName>{sealed}</xml>".encode()


def raw_aes(vector: Vector, clear: bytes) -> str:
    """Clear bytes, padding and all, straight through AES."""
    key = base64.b64decode(vector.aes_key + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(clear) + encryptor.finalize()).decode()


def open_signed(vector: Vector, encrypted: str, account: Account | None = None) -> crypto.Opened:
    return open_envelope(account or vector.account, signed(vector, encrypted), envelope(encrypted))


# --- The published samples ----------------------------------------------------------------------


@every_vector
def test_it_opens_the_sample(vector: Vector) -> None:
    opened = open_envelope(vector.account, vector.query, vector.body)
    assert opened == crypto.Opened(vector.clear, vector.aes_key)
    assert len(base64.b64decode(vector.encrypted)) == vector.cipher_bytes


@pytest.mark.parametrize("vector", vectors.REPEATABLE, ids=lambda vector: vector.name)
def test_it_seals_to_the_very_bytes_of_the_sample(vector: Vector) -> None:
    sealed = crypto.seal(
        vector.clear.decode(),
        account=vector.account,
        aes_key=vector.aes_key,
        nonce=vector.nonce,
        timestamp=int(vector.timestamp),
        random=vector.random,
    )
    assert f"<Encrypt><![CDATA[{vector.encrypted}]]></Encrypt>" in sealed
    assert f"<MsgSignature><![CDATA[{vector.msg_signature}]]></MsgSignature>" in sealed
    assert (
        f"<TimeStamp>{vector.timestamp}</TimeStamp><Nonce><![CDATA[{vector.nonce}]]></Nonce>"
        in sealed
    )


@every_vector
def test_it_agrees_with_wechatpy(vector: Vector) -> None:
    theirs = WeChatCrypto(vector.token, vector.aes_key, vector.app_id)
    query = vector.query
    message = {"Encrypt": vector.encrypted}
    opened = theirs.decrypt_message(
        message, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    assert opened.encode() == open_envelope(vector.account, query, vector.body).xml


@every_vector
def test_wechatpy_opens_what_we_seal(vector: Vector) -> None:
    text = vector.clear.decode()
    sealed = crypto.seal(
        text, account=vector.account, aes_key=vector.aes_key, nonce="n", timestamp=1700000000
    )
    signature = sealed.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    theirs = WeChatCrypto(vector.token, vector.aes_key, vector.app_id)
    assert theirs.decrypt_message(sealed, signature, "1700000000", "n") == text


@every_vector
def test_we_open_what_wechatpy_encrypts(vector: Vector) -> None:
    key = base64.b64decode(vector.aes_key + "=")
    encrypted = PrpCrypto(key).encrypt(vector.clear.decode(), vector.app_id).decode()
    assert open_signed(vector, encrypted).xml == vector.clear


def test_sample_a_is_one_of_compatible_mode() -> None:
    body = (
        A.clear.removesuffix(b"</xml>")
        + f"<Encrypt><![CDATA[{A.encrypted}]]></Encrypt></xml>".encode()
    )
    query = {**A.query, "signature": "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"}
    assert open_envelope(A.account, query, body).xml == A.clear


@pytest.mark.parametrize(
    ("token", "timestamp", "nonce", "signature"),
    [
        ("spamtest", "1409735669", "1320562132", "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"),
        ("AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("AAAAA", "1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("AAAAA", "1714112445", "415670741", "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
        ("789", "456", "123", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
    ],
)
def test_it_signs_like_the_samples(token: str, timestamp: str, nonce: str, signature: str) -> None:
    assert crypto.signature(token, timestamp, nonce) == signature


# --- Handshake ----------------------------------------------------------------------------------

B0 = {
    "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
    "timestamp": "1714036504",
    "nonce": "1514711492",
    "echostr": "4375120948345356249",
}


def test_it_answers_the_handshake_with_echostr() -> None:
    assert crypto.check_handshake("AAAAA", B0) == "4375120948345356249"


def test_it_refuses_a_handshake_with_another_token() -> None:
    with pytest.raises(crypto.BadSignature):
        crypto.check_handshake("AAAAB", B0)


@pytest.mark.parametrize("name", B0)
def test_it_refuses_a_handshake_that_lacks_a_parameter(name: str) -> None:
    with pytest.raises(crypto.MissingParameter):
        crypto.check_handshake("AAAAA", {key: value for key, value in B0.items() if key != name})


def test_an_account_without_a_token_trusts_nobody() -> None:
    query = {**B0, "signature": crypto.signature("", B0["timestamp"], B0["nonce"])}
    with pytest.raises(crypto.BadSignature):
        crypto.check_handshake("", query)


# --- Plain mode ---------------------------------------------------------------------------------

PLAIN = {
    "signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78",
    "timestamp": "1714037059",
    "nonce": "486452656",
}
B_ACCOUNT = vectors.B1.account


@pytest.mark.parametrize(
    "query", [PLAIN, {**PLAIN, "encrypt_type": "raw"}, {**PLAIN, "encrypt_type": ""}]
)
def test_it_opens_a_plain_push_also_of_an_account_with_a_key(query: dict[str, str]) -> None:
    assert open_envelope(B_ACCOUNT, query, b"<xml/>") == crypto.Opened(b"<xml/>", None)


def test_it_refuses_a_plain_push_where_only_encrypted_ones_are_wanted() -> None:
    with pytest.raises(crypto.PlainRefused):
        open_envelope(replace(B_ACCOUNT, encrypted_only=True), PLAIN, b"<xml/>")


@pytest.mark.parametrize(
    "signature", ["0" * 40, "899CF89E464EFB63F54DDAC96B0A0A235F53AA78", "签名", "\udce9"]
)
def test_it_refuses_a_plain_push_with_a_wrong_signature(signature: str) -> None:
    with pytest.raises(crypto.BadSignature):
        open_envelope(B_ACCOUNT, {**PLAIN, "signature": signature}, b"<xml/>")


@pytest.mark.parametrize("name", PLAIN)
def test_it_refuses_a_plain_push_that_lacks_a_parameter(name: str) -> None:
    with pytest.raises(crypto.MissingParameter):
        open_envelope(B_ACCOUNT, {**PLAIN, name: ""}, b"<xml/>")


def test_it_refuses_an_unknown_encryption() -> None:
    with pytest.raises(crypto.BadEnvelope):
        open_envelope(B_ACCOUNT, {**PLAIN, "encrypt_type": "rot13"}, b"<xml/>")


# --- Encrypted modes ----------------------------------------------------------------------------


def test_the_plain_signature_does_not_open_an_encrypted_push() -> None:
    query = {**A.query, "msg_signature": "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"}
    with pytest.raises(crypto.BadSignature):
        open_envelope(A.account, query, A.body)


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_it_refuses_an_encrypted_push_that_lacks_a_parameter(name: str) -> None:
    query = {key: value for key, value in A.query.items() if key != name}
    with pytest.raises(crypto.MissingParameter):
        open_envelope(A.account, query, A.body)


def test_it_refuses_a_cipher_text_that_was_changed() -> None:
    with pytest.raises(crypto.BadSignature):
        open_envelope(A.account, A.query, A.body.replace(b"hyzAe4", b"hyzAe5"))


def test_it_refuses_a_push_for_another_appid() -> None:
    with pytest.raises(crypto.WrongAppId):
        open_envelope(replace(A.account, app_id="wx0000000000000000"), A.query, A.body)


def test_it_refuses_an_encrypted_push_of_an_account_without_a_key() -> None:
    with pytest.raises(crypto.BadEnvelope, match="no EncodingAESKey"):
        open_envelope(replace(A.account, aes_key=""), A.query, A.body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<xml/>",
        b"<xml><ToUserName>gh</ToUserName></xml>",
        b'{"Encrypt": "abc"}',
        b"<html><Encrypt>" + A.encrypted.encode() + b"</Encrypt></html>",
        b'<!DOCTYPE xml [<!ENTITY e "x">]>' + A.body,
        b"<?xml version='1.0'?><!DOCTYPE xml>" + A.body,
    ],
)
def test_it_refuses_what_is_no_envelope(body: bytes) -> None:
    with pytest.raises(crypto.BadEnvelope):
        open_envelope(A.account, A.query, body)


def test_it_takes_a_declaration_and_a_byte_order_mark() -> None:
    body = b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n" + A.body
    assert open_envelope(A.account, A.query, body).xml == A.clear


def test_it_tells_a_bad_cipher_text_from_a_bad_signature_byte_by_byte() -> None:
    body = envelope("").replace(b"CDATA[]", b"CDATA[\xff\xfe]")
    parts = sorted([A.token.encode(), A.timestamp.encode(), A.nonce.encode(), b"\xff\xfe"])
    fits = {**A.query, "msg_signature": hashlib.sha1(b"".join(parts)).hexdigest()}
    with pytest.raises(crypto.BadEnvelope, match="base64"):
        open_envelope(A.account, fits, body)
    with pytest.raises(crypto.BadSignature):
        open_envelope(A.account, A.query, body)


@pytest.mark.parametrize("encrypted", ["", "abc", "不是密文", "####", "QUJD", "A" * 24 + "=="])
def test_it_refuses_what_is_not_base64_of_whole_blocks(encrypted: str) -> None:
    query = signed(A, encrypted)
    with pytest.raises(crypto.BadEnvelope):
        crypto.decrypt(encrypted.encode(), aes_key=A.aes_key, app_id=A.app_id)
    with pytest.raises((crypto.BadEnvelope, crypto.BadSignature)):
        open_envelope(A.account, query, envelope(encrypted))


HEAD = (
    b"r" * 16 + (2).to_bytes(4, "big") + b"hi" + A.app_id.encode()
)  # 40 bytes, so that 24 of padding are right


@pytest.mark.parametrize(
    "padding",
    [
        bytes([0]) * 24,
        bytes([33]) * 24,
        bytes([255]) * 24,
        bytes([24]) * 23 + bytes([25]),
        bytes([24]) * 23 + bytes([23]),
    ],
)
def test_it_refuses_bad_padding(padding: bytes) -> None:
    with pytest.raises(crypto.BadEnvelope):
        open_signed(A, raw_aes(A, HEAD + padding))


def test_it_takes_the_right_padding() -> None:
    assert open_signed(A, raw_aes(A, HEAD + bytes([24]) * 24)).xml == b"hi"


@pytest.mark.parametrize("length", [1000, 2**32 - 1])
def test_it_refuses_a_length_beyond_the_text(length: int) -> None:
    clear = b"r" * 16 + length.to_bytes(4, "big") + b"hi" + A.app_id.encode() + bytes([24]) * 24
    with pytest.raises(crypto.BadEnvelope):
        open_signed(A, raw_aes(A, clear))


@pytest.mark.parametrize("size", [16, 32])
def test_it_refuses_a_text_without_room_for_its_length(size: int) -> None:
    with pytest.raises(crypto.BadEnvelope):
        open_signed(A, raw_aes(A, bytes([size]) * size))


def test_a_customer_who_writes_an_encrypt_element_is_understood_in_compatible_mode() -> None:
    text = b"<Content><![CDATA[<Encrypt>AAAA</Encrypt>]]></Content>"
    real = f"<Encrypt><![CDATA[{A.encrypted}]]></Encrypt>".encode()
    for body in (b"<xml>" + text + real + b"</xml>", b"<xml>" + real + text + b"</xml>"):
        assert open_envelope(A.account, A.query, body).xml == A.clear


@pytest.mark.parametrize(
    "text",
    [
        b"<Encrypt>",
        b"</Encrypt>",
        b"<Encrypt><![CDATA[",
        b"<Encrypt>AAAA</Encrypt>" * 100,
        b"<Encrypt>" * 100 + b"</Encrypt>" * 100,
    ],
)
def test_what_a_customer_writes_around_it_hides_no_cipher_text(text: bytes) -> None:
    written = b"<Content><![CDATA[" + text + b"]]></Content>"
    real = f"<Encrypt><![CDATA[{A.encrypted}]]></Encrypt>".encode()
    for body in (b"<xml>" + written + real + b"</xml>", b"<xml>" + real + written + b"</xml>"):
        assert open_envelope(A.account, A.query, body).xml == A.clear


def test_white_space_around_the_cipher_text_is_not_part_of_it() -> None:
    for inside in (f" \n{A.encrypted}\t", f"\r\n <![CDATA[{A.encrypted}]]>  "):
        body = f"<xml><Encrypt>{inside}</Encrypt></xml>".encode()
        assert open_envelope(A.account, A.query, body).xml == A.clear


# --- Rotation -----------------------------------------------------------------------------------

NEW_KEY = "Z" * 43


def test_while_keys_change_both_open_and_each_answers_for_itself() -> None:
    account = replace(
        E.account, aes_key=NEW_KEY, previous_aes_key=E.aes_key, previous_until=math.inf
    )
    assert open_envelope(account, E.query, E.body) == crypto.Opened(E.clear, E.aes_key)
    with_new = crypto.encrypt(b"<xml/>", aes_key=NEW_KEY, app_id=E.app_id)
    assert open_signed(E, with_new, account) == crypto.Opened(b"<xml/>", NEW_KEY)


def test_a_key_that_is_neither_opens_nothing() -> None:
    account = replace(
        E.account, aes_key=NEW_KEY, previous_aes_key="Y" * 43, previous_until=math.inf
    )
    with pytest.raises((crypto.BadEnvelope, crypto.WrongAppId)):
        open_envelope(account, E.query, E.body)


def test_a_wrong_appid_stays_one_while_keys_change() -> None:
    account = replace(
        D.account, app_id="wx0000000000000000", previous_aes_key=NEW_KEY, previous_until=math.inf
    )
    with pytest.raises(crypto.WrongAppId):
        open_envelope(account, D.query, D.body)


# --- Secrets ------------------------------------------------------------------------------------


def test_secrets_stay_out_of_logs() -> None:
    opened = open_envelope(A.account, A.query, A.body)
    assert A.aes_key not in repr(opened)
    assert A.aes_key not in repr(A.account)
    assert A.token not in repr(A.account)


def test_two_answers_are_sealed_differently() -> None:
    sealed = {
        crypto.seal("<xml/>", account=A.account, aes_key=A.aes_key, nonce="1", timestamp=1)
        for _ in range(2)
    }
    assert len(sealed) == 2
