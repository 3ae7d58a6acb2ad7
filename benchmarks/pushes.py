"""Pushes of the benchmarks' customers as bytes, made before the first is sent; replies opened."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from benchmarks.account import AES_KEY, ORIGINAL_ID, TOKEN
from tests.worlds.poster import Account, read_text, sealed
from tests.worlds.pushes import text_xml


@dataclass(frozen=True)
class Push:
    """A customer's text. `created` is WeChat's clock."""

    openid: str
    msg_id: int
    text: str
    created: int

    @property
    def xml(self) -> str:
        return text_xml(
            self.text,
            openid=self.openid,
            to=ORIGINAL_ID,
            msg_id=str(self.msg_id),
            created=self.created,
        )


def http_request(push: Push, path: str, app_id: str) -> bytes:
    """The bytes that WeChat sends in safe mode."""
    request = sealed(_account(app_id), push.xml, openid=push.openid)
    head = (
        f"POST {path}?{request.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\n"
        "Accept: */*\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(request.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + request.body


def text_of_reply(body: bytes, app_id: str) -> str:
    """What the customer reads. Empty for `success`, and for what WeChat could not read either."""
    try:
        return read_text(body, _account(app_id)) or ""
    except (ValueError, KeyError, ElementTree.ParseError):
        return ""


def _account(app_id: str) -> Account:
    return Account(app_id=app_id, token=TOKEN, aes_key=AES_KEY, original_id=ORIGINAL_ID)
