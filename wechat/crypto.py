"""The envelope of a push: who sent it (signature), and what is in it (AES). No Django here, and no
database.

WeChat signs every push twice. `signature` covers token, timestamp and nonce: `check_query` needs
the query alone, so a stranger is refused before a byte of the body is read. What is in the body
costs time only for those who know the token. Then `open_body` takes the XML out:

- `encrypt_type=aes` (safe and compatible mode): `msg_signature` covers the cipher text, so nothing
  in it can be forged. The plain fields beside it (compatible mode) are not signed and never read.
- without it (plain mode): `signature` does not cover the body. Whoever reads one callback URL in a
  log can put another body behind it until it is too old. So an account with an AES key takes sealed
  pushes only, unless its operator says otherwise; where plain ones are taken, `webhook.one_body`
  lets one body in behind each signature.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from wechat.console import PUSHES
from wechat.replies import cdata

BLOCK = 32  # PKCS#7 with blocks of 32 bytes, although AES has blocks of 16.
_RANDOM = 16
_HEAD = _RANDOM + 4

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARATION = (b"<?xml", b"?>")
_ROOTS = (b"<xml>", b"<xml ", b"<xml\t", b"<xml\r", b"<xml\n")
_ENCRYPT = (b"<Encrypt>", b"</Encrypt>")
_CDATA = (b"<![CDATA[", b"]]>")


class Forbidden(Exception):
    """Not for us, or not from WeChat: status 403."""


class MissingParameter(Forbidden):
    """The query lacks a part of the signature."""


class BadSignature(Forbidden):
    """Not signed with the account's token."""


class WrongAppId(Forbidden):
    """Signed and readable, but meant for another account."""


class PlainRefused(BadSignature):
    """A plain push for an account that takes encrypted ones only."""


class BadEnvelope(ValueError):
    """Nothing that WeChat would send: status 400."""


@dataclass(frozen=True)
class Account:
    """An Official Account as requests need it, frozen. Secrets stay out of `repr` and so out
    of logs.
    """

    account_id: int
    slug: str
    app_id: str
    token: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    previous_aes_key: str = field(default="", repr=False)
    previous_until: float = 0.0  # unix time: the key before opens nothing any more
    encrypted_only: bool = False
    may_send: bool = False
    original_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """The query of a push whose sender knows the account's token. Only this opens a body."""

    account: Account
    signature: str
    timestamp: str
    nonce: str
    # None: a plain push.
    msg_signature: str | None


@dataclass(frozen=True)
class Opened:
    """The clear XML of a push, and the key that its answer has to be sealed with (None: a plain
    answer).
    """

    xml: bytes
    aes_key: str | None = field(repr=False)


def check_handshake(token: str, query: Mapping[str, str]) -> str:
    """The `echostr` to send back. It is plain text, in safe mode too."""
    _check_signature(token, query)
    return _parameter(query, "echostr")


def check_query(account: Account, query: Mapping[str, str]) -> SignedQuery:
    """Verify the sender of a push. Raises `Forbidden` (403) or `BadEnvelope` (400)."""
    signed = _check_signature(account.token, query)
    mode = query.get("encrypt_type", "raw").lower()
    if mode == "aes":
        return SignedQuery(account, *signed, _parameter(query, "msg_signature"))
    if mode not in {"raw", ""}:
        raise BadEnvelope(f"unknown encrypt_type {mode[:20]!r}")
    return SignedQuery(account, *signed, None)


def open_body(signed: SignedQuery, body: bytes) -> Opened:
    """Take the XML out of a push. Raises `Forbidden` (403) or `BadEnvelope` (400)."""
    if signed.msg_signature is None:
        if signed.account.encrypted_only:
            raise PlainRefused(
                f"the account takes sealed pushes only. At {PUSHES} choose 安全模式 (or 兼容模式);"
                " WECHAT_ENCRYPTED_ONLY=false, or the field on the account's page, lets plain ones "
                "in"
            )
        return Opened(body, None)
    return _open_encrypted(signed.account, _signed_cipher_text(signed, signed.msg_signature, body))


def seal(
    xml: str,
    *,
    account: Account,
    aes_key: str,
    nonce: str,
    timestamp: int | None = None,
    random: bytes | None = None,
) -> str:
    """An answer in its encrypted envelope. `timestamp` and `random` are for tests."""
    moment = str(int(time.time()) if timestamp is None else timestamp)
    encrypted = encrypt(xml.encode(), aes_key=aes_key, app_id=account.app_id, random=random)
    signed = signature(account.token, moment, nonce, encrypted)
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
        f"<TimeStamp>{moment}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )


def signature(*parts: str) -> str:
    return _digest(*(part.encode("utf-8", "replace") for part in parts))


def _digest(*parts: bytes) -> str:
    """UTF-8 sorts as its characters do."""
    return hashlib.sha1(b"".join(sorted(parts)), usedforsecurity=False).hexdigest()


def encrypt(message: bytes, *, aes_key: str, app_id: str, random: bytes | None = None) -> str:
    """16 random bytes, the length in bytes, the message, the appid, padded to blocks of 32."""
    head = (random or os.urandom(_RANDOM)) + len(message).to_bytes(4, "big")
    clear = head + message + app_id.encode()
    pad = BLOCK - len(clear) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    return b64encode(encryptor.update(clear + bytes([pad]) * pad) + encryptor.finalize()).decode()


def decrypt(encrypted: bytes, *, aes_key: str, app_id: str) -> bytes:
    clear = _unpadded(_decrypted(encrypted, aes_key))
    end = _HEAD + int.from_bytes(clear[_RANDOM:_HEAD], "big")
    if len(clear) < _HEAD or end > len(clear):
        raise BadEnvelope("the length inside is longer than what is there")
    if clear[end:] != app_id.encode():
        raise WrongAppId("the push is for another appid")
    return clear[_HEAD:end]


def _open_encrypted(account: Account, encrypted: bytes) -> Opened:
    if not account.aes_key:
        raise BadEnvelope("the push is encrypted, but the account has no EncodingAESKey")
    try:
        return Opened(
            decrypt(encrypted, aes_key=account.aes_key, app_id=account.app_id), account.aes_key
        )
    except (BadEnvelope, WrongAppId):
        # While a key is being replaced WeChat may still use the one before; its answer needs the
        # same.
        if time.time() >= account.previous_until:
            raise
        opened = _with_previous_key(account, encrypted)
        if opened is None:
            raise
        return opened


def _with_previous_key(account: Account, encrypted: bytes) -> Opened | None:
    try:
        return Opened(
            decrypt(encrypted, aes_key=account.previous_aes_key, app_id=account.app_id),
            account.previous_aes_key,
        )
    except (BadEnvelope, WrongAppId):
        return None


def _signed_cipher_text(signed: SignedQuery, msg_signature: str, body: bytes) -> bytes:
    """The text of `<Encrypt>`, found without a parser: of all that is in the body only this is
    signed.

    A customer may write `<Encrypt>` into a message, which compatible mode repeats in clear beside
    the real one. That text stands before the real one or behind it: one of the two ends is the real
    one, and only it fits the signature. So two candidates are enough, however many there are, and
    each byte is looked at a few times at most.
    """
    starts = _encrypt_elements(body) if _begins_as_push(body) else set()
    if not starts:
        raise BadEnvelope("no <Encrypt> in the body")
    for start in starts:
        candidate = _text_of_encrypt(body, start)
        if _fits(msg_signature, signed.account.token, signed.timestamp, signed.nonce, candidate):
            return candidate
    raise BadSignature("msg_signature does not fit")


def _begins_as_push(body: bytes) -> bool:
    """An XML declaration and the root, nothing else before it: no document type
    can come in here.
    """
    opens, closes = _DECLARATION
    text = body.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if text.startswith(opens):
        declaration, _, text = text.partition(closes)
        if b">" in declaration:
            return False
        text = text.lstrip()
    return text.startswith(_ROOTS)


def _encrypt_elements(body: bytes) -> set[int]:
    """Where the text of the first and of the last `<Encrypt>` begins."""
    opens, closes = _ENCRYPT
    last_close = body.rfind(closes)
    if last_close < 0:
        return set()
    found = (body.find(opens, 0, last_close), body.rfind(opens, 0, last_close))
    return {start + len(opens) for start in found if start >= 0}


def _text_of_encrypt(body: bytes, start: int) -> bytes:
    opens, closes = _CDATA
    text = body[start : body.index(_ENCRYPT[1], start)].strip()
    return text.removeprefix(opens).removesuffix(closes)


def _check_signature(token: str, query: Mapping[str, str]) -> tuple[str, str, str]:
    """The signature, timestamp and nonce of a query, when they fit each other."""
    given = _parameter(query, "signature")
    timestamp, nonce = _parameter(query, "timestamp"), _parameter(query, "nonce")
    if not _fits(given, token, timestamp, nonce):
        raise BadSignature("signature does not fit")
    return given, timestamp, nonce


def _fits(given: str, token: str, timestamp: str, nonce: str, *parts: bytes) -> bool:
    """An account without a token can trust nobody: anyone could sign for it.

    What is signed counts byte by byte, also where it cannot be a cipher text.
    """
    clear = (part.encode("utf-8", "replace") for part in (token, timestamp, nonce))
    expected = _digest(*clear, *parts).encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace")) and bool(token)


def _parameter(query: Mapping[str, str], name: str) -> str:
    value = query.get(name)
    if not value:
        raise MissingParameter(f"{name} is missing")
    return value


@lru_cache(maxsize=64)
def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    try:
        key = b64decode(aes_key + "=")
        return Cipher(algorithms.AES256(key), modes.CBC(key[:16]))
    except ValueError as error:  # binascii.Error is one too
        raise BadEnvelope("the account's EncodingAESKey is not 43 letters and digits") from error


def _decrypted(encrypted: bytes, aes_key: str) -> bytes:
    try:
        raw = b64decode(encrypted, validate=True)
    except binascii.Error as error:
        raise BadEnvelope("<Encrypt> is not base64") from error
    if not raw or len(raw) % 16:
        raise BadEnvelope("the cipher text is not made of whole blocks")
    decryptor = _cipher(aes_key).decryptor()
    return decryptor.update(raw) + decryptor.finalize()


def _unpadded(clear: bytes) -> bytes:
    pad = clear[-1]
    if not 1 <= pad <= BLOCK or not clear.endswith(bytes([pad]) * pad):
        raise BadEnvelope("bad padding: another AES key, or a broken text")
    return clear[:-pad]
