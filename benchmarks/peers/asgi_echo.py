"""The least that a callback can cost: an ASGI function that opens a push, reads it, seals an echo,
stores nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from benchmarks.account import AES_KEY, APP_IDS, TOKEN

KEY = base64.b64decode(AES_KEY + "=")
CIPHER = Cipher(algorithms.AES256(KEY), modes.CBC(KEY[:16]))
APP_ID = APP_IDS["api"].encode()


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def opened(encrypted: str) -> bytes:
    decryptor = CIPHER.decryptor()
    clear = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
    end = 20 + int.from_bytes(clear[16:20], "big")
    if clear[end : -clear[-1]] != APP_ID:
        raise ValueError("another account's push")
    return clear[20:end]


def sealed(reply: str, nonce: str) -> bytes:
    message = reply.encode()
    clear = os.urandom(16) + len(message).to_bytes(4, "big") + message + APP_ID
    pad = 32 - len(clear) % 32
    encryptor = CIPHER.encryptor()
    encrypted = base64.b64encode(
        encryptor.update(clear + bytes([pad]) * pad) + encryptor.finalize()
    ).decode()
    timestamp = str(int(time.time()))
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signature(TOKEN, timestamp, nonce, encrypted)}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode()


def echo(query: dict[str, str], body: bytes) -> bytes:
    encrypted = ElementTree.fromstring(body).findtext("Encrypt") or ""
    if signature(TOKEN, query["timestamp"], query["nonce"], encrypted) != query["msg_signature"]:
        raise ValueError("not signed by WeChat")
    push = ElementTree.fromstring(opened(encrypted))
    reply = (
        f"<xml><ToUserName><![CDATA[{push.findtext('FromUserName')}]]></ToUserName>"
        f"<FromUserName><![CDATA[{push.findtext('ToUserName')}]]></FromUserName><CreateTime>{int(time.time())}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{push.findtext('Content')}]]></Content></xml>"
    )
    return sealed(reply, query["nonce"])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    answer = echo(dict(parse_qsl(scope["query_string"].decode())), body)
    headers = [
        (b"content-type", b"application/xml"),
        (b"content-length", str(len(answer)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
