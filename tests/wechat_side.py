"""WeChat as our callback sees it: signed and encrypted pushes, five seconds, three deliveries.

Signature and AES are wechatpy's: an implementation that is not ours.
"""

from __future__ import annotations

import http.client
import itertools
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner, to_binary

Mode = Literal["plain", "compatible", "safe"]
CUT = 5.0
DELIVERIES = 3


@dataclass(frozen=True)
class Account:
    app_id: str = "wx0123456789abcdef"
    secret: str = "0123456789abcdef0123456789abcdef"
    token: str = "tokenfortests"
    aes_key: str = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE"
    original_id: str = "gh_0123456789ab"


@dataclass(frozen=True)
class Push:
    openid: str
    xml: str


@dataclass(frozen=True)
class Delivery:
    """One try. `status` None: the connection was refused, cut, or silent for five seconds."""

    status: int | None
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What became of a push. `text` is what the customer reads as the reply; `notice`: WeChat's
    failure notice.
    """

    deliveries: tuple[Delivery, ...]
    text: str | None
    notice: bool

    @property
    def acknowledged(self) -> bool:
        return not self.notice and self.text is None


class WeChatSide:
    """`bases` tells where the callback is now; the deliveries of one push go round, as through a
    load balancer.
    """

    def __init__(
        self,
        bases: Callable[[], Sequence[str]],
        account: Account,
        *,
        mode: Mode = "safe",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account
        self._tls = tls
        self.mode: Mode = mode
        self.path = "/wechat"
        self._bases = bases
        self._turn = itertools.count()
        self._ids = itertools.count(int(time.time() * 1000) << 20)

    def text(
        self, openid: str, content: str, *, menu_id: str = "", created: int | None = None
    ) -> Push:
        menu = f"<bizmsgmenuid>{menu_id}</bizmsgmenuid>" if menu_id else ""
        return self.message(openid, f"<Content>{_cdata(content)}</Content>{menu}", created=created)

    def message(
        self, openid: str, fields: str, *, kind: str = "text", created: int | None = None
    ) -> Push:
        return self._push(openid, kind, f"{fields}<MsgId>{next(self._ids)}</MsgId>", created)

    def event(self, openid: str, name: str, *, key: str = "", created: int | None = None) -> Push:
        return self._push(
            openid,
            "event",
            f"<Event>{_cdata(name)}</Event><EventKey>{_cdata(key)}</EventKey>",
            created,
        )

    def say(self, openid: str, content: str) -> Outcome:
        return self.push(self.text(openid, content))

    def push(self, push: Push) -> Outcome:
        """Up to three deliveries. The first answer that is read in time ends it."""
        deliveries = []
        for _ in range(DELIVERIES):
            deliveries.append(self.deliver(push))
            if deliveries[-1].status == 200:
                return self._read(deliveries)
        return Outcome(tuple(deliveries), None, notice=True)

    def deliver(self, push: Push, *, base: str | None = None, cut: float = CUT) -> Delivery:
        """One delivery, with its own timestamp, nonce and signature."""
        bases = self._bases()
        target = urlsplit(base or bases[next(self._turn) % len(bases)])
        query, body = self.seal(push)
        started = time.monotonic()
        connection = self._connect(target.scheme, target.hostname or "", target.port, cut)
        try:
            connection.request(
                "POST", f"{self.path}?{urlencode(query)}", body, {"Content-Type": "text/xml"}
            )
            answer = connection.getresponse()
            return Delivery(answer.status, answer.read(), time.monotonic() - started)
        except (OSError, http.client.HTTPException):
            return Delivery(None, b"", time.monotonic() - started)
        finally:
            connection.close()

    def _connect(
        self, scheme: str, host: str, port: int | None, cut: float
    ) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=cut, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=cut)

    def seal(self, push: Push) -> tuple[dict[str, str], bytes]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        query = {"signature": self.sign(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        query["openid"] = push.openid
        if self.mode == "plain":
            return query, push.xml.encode()
        encrypted = PrpCrypto(self._crypto().key).encrypt(push.xml, self.account.app_id).decode()
        query |= {"encrypt_type": "aes", "msg_signature": self.sign(timestamp, nonce, encrypted)}
        receiver = f"<ToUserName>{_cdata(self.account.original_id)}</ToUserName>"
        envelope = f"{receiver}<Encrypt>{_cdata(encrypted)}</Encrypt>"
        if self.mode == "compatible":
            return query, push.xml.replace(
                "</xml>", f"<Encrypt>{_cdata(encrypted)}</Encrypt></xml>"
            ).encode()
        return query, f"<xml>{envelope}</xml>".encode()

    def read_text(self, body: bytes) -> str | None:
        """The text of a reply; None for `success` or an empty body. Raises ValueError on what
        WeChat cannot read.
        """
        if body in {b"", b"success"}:
            return None
        fields = _fields(body)
        if "Encrypt" in fields:
            clear = self._crypto().decrypt_message(
                fields, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"]
            )
            fields = _fields(to_binary(clear))
        if fields.get("MsgType") != "text":
            raise ValueError(f"no text: {fields}")
        return fields["Content"]

    def _read(self, deliveries: list[Delivery]) -> Outcome:
        try:
            return Outcome(tuple(deliveries), self.read_text(deliveries[-1].body), notice=False)
        except (ValueError, KeyError, ElementTree.ParseError):
            return Outcome(tuple(deliveries), None, notice=True)

    def _push(self, openid: str, kind: str, fields: str, created: int | None) -> Push:
        names = (
            ("ToUserName", self.account.original_id),
            ("FromUserName", openid),
            ("MsgType", kind),
        )
        common = "".join(f"<{name}>{_cdata(value)}</{name}>" for name, value in names)
        return Push(
            openid,
            f"<xml>{common}<CreateTime>{created or int(time.time())}</CreateTime>{fields}</xml>",
        )

    def _crypto(self) -> WeChatCrypto:
        return WeChatCrypto(self.account.token, self.account.aes_key, self.account.app_id)

    def sign(self, *parts: str) -> str:
        signer = WeChatSigner()
        signer.add_data(self.account.token, *parts)
        return str(signer.signature)


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _fields(xml: bytes) -> dict[str, str]:
    return {element.tag: element.text or "" for element in ElementTree.fromstring(xml)}
