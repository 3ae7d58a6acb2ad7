"""The two accounts of a benchmark, and WeChat's side of them: pushes made, replies opened."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Literal

from wechat.crypto import decrypt, encrypt, signature

Kind = Literal["api", "passive"]
APP_IDS: dict[Kind, str] = {"api": "wxbench0000000001", "passive": "wxbench0000000002"}
APP_SECRET = "benchmark-secret"
TOKEN = "benchmarktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ORIGINAL_ID = "gh_benchmark"

_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([^<\]]+)")
_CONTENT = re.compile(r"<Content><!\[CDATA\[(.*)\]\]></Content>", re.DOTALL)


@dataclass(frozen=True)
class Push:
    """A customer's text. `created` is WeChat's clock."""

    openid: str
    msg_id: int
    text: str
    created: int

    @property
    def xml(self) -> str:
        return (
            f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>"
            f"<FromUserName><![CDATA[{self.openid}]]></FromUserName><CreateTime>{self.created}</CreateTime>"
            f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{self.text}]]></Content><MsgId>{self.msg_id}</MsgId></xml>"
        )


def http_request(push: Push, path: str, app_id: str) -> bytes:
    """The bytes that WeChat sends in safe mode."""
    encrypted = encrypt(push.xml.encode(), aes_key=AES_KEY, app_id=app_id)
    timestamp, nonce = str(int(time.time())), str(push.msg_id % 10**9)
    signed = signature(TOKEN, timestamp, nonce, encrypted)
    plain = signature(TOKEN, timestamp, nonce)
    body = (
        f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    ).encode()
    query = (
        f"signature={plain}&timestamp={timestamp}&nonce={nonce}&openid={push.openid}"
        f"&encrypt_type=aes&msg_signature={signed}"
    )
    head = (
        f"POST {path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: "
        "*/*\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def text_of_reply(body: bytes, app_id: str) -> str:
    """What the customer reads. Empty for `success`, and for what WeChat could not read either."""
    found = _ENCRYPT.search(body)
    if found is None:
        return ""
    content = _CONTENT.search(decrypt(found[1], aes_key=AES_KEY, app_id=app_id).decode())
    return content[1] if content else ""
