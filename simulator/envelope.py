"""WeChat's side of signature and encryption, by wechatpy: an implementation that is not ours checks
ours.
"""

from __future__ import annotations

import binascii
import secrets
import struct
import time
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import WeChatSigner

from simulator.credentials import Credentials
from simulator.models import Mode
from simulator.pushes import Push


class Unreadable(Exception):
    """A body that WeChat cannot read; its text is a code of `texts.reasons`, with a detail after a
    colon.
    """


@dataclass(frozen=True)
class Sealed:
    """A push as it leaves: `url` with its signed query, and the body."""

    url: str
    body: bytes
    clear: str


def seal(push: Push, keys: Credentials, mode: str) -> Sealed:
    """Sign and pack one delivery. Each delivery has its own timestamp and nonce, as with WeChat."""
    clear = push.xml(keys)
    timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
    query = {
        "signature": _sign(keys.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": push.openid,
    }
    if mode == Mode.PLAIN:
        return Sealed(f"{keys.callback_url}?{urlencode(query)}", clear.encode(), clear)
    encrypted = PrpCrypto(_crypto(keys).key).encrypt(clear, keys.app_id).decode()
    query |= {
        "encrypt_type": "aes",
        "msg_signature": _sign(keys.token, timestamp, nonce, encrypted),
    }
    body = _envelope(clear, encrypted, keys, mode)
    return Sealed(f"{keys.callback_url}?{urlencode(query)}", body.encode(), clear)


def open_reply(body: bytes, keys: Credentials, mode: str) -> str:
    """The clear XML of a reply, decrypted and checked where the mode wants it."""
    fields = fields_of(body)
    if "Encrypt" not in fields:
        if mode == Mode.SAFE:
            raise Unreadable("not_encrypted")
        return body.decode("utf-8", "replace")
    try:
        opened = _crypto(keys).decrypt_message(
            fields,
            fields.get("MsgSignature", ""),
            fields.get("TimeStamp", ""),
            fields.get("Nonce", ""),
        )
    except InvalidSignatureException as error:
        raise Unreadable("bad_signature") from error
    except InvalidAppIdException as error:
        raise Unreadable("wrong_app_id") from error
    except (binascii.Error, struct.error, ValueError, IndexError) as error:
        raise Unreadable("not_decryptable") from error
    return str(opened)


def fields_of(xml: bytes | str) -> dict[str, str]:
    """The top elements of an XML document with their texts."""
    try:
        root = fromstring(xml)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Unreadable("not_xml") from error
    if root.tag != "xml":
        raise Unreadable("wrong_root")
    return {child.tag: child.text or "" for child in root}


def _envelope(clear: str, encrypted: str, keys: Credentials, mode: str) -> str:
    encrypt = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>"
    if mode == Mode.COMPATIBLE:
        return clear.removesuffix("</xml>") + encrypt + "</xml>"
    return f"<xml><ToUserName><![CDATA[{keys.original_id}]]></ToUserName>{encrypt}</xml>"


def _sign(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def _crypto(keys: Credentials) -> WeChatCrypto:
    return WeChatCrypto(keys.token, keys.aes_key, keys.app_id)
