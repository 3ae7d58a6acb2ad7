"""WeChat as our callback sees it: customers' messages, signed and sealed, posted and posted again.

`plain`, `sealed` and `sealed_as` make requests, right ones and wrong ones. `Poster` posts them as
WeChat does: five seconds, three deliveries. Signature and AES are wechatpy's: an implementation
that is not ours.
"""

from __future__ import annotations

import http.client
import itertools
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from tests.worlds import pushes
from tests.worlds.pushes import cdata

Mode = Literal["plain", "compatible", "safe"]
CUT = 5.0
DELIVERIES = 3


class AnyAccount(Protocol):
    """An account as WeChat knows it: a row of ours, or an `Account` without a row."""

    @property
    def slug(self) -> str: ...
    @property
    def app_id(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def aes_key(self) -> str: ...
    @property
    def original_id(self) -> str: ...


@dataclass(frozen=True)
class Account:
    """Without a slug it is posted to /wechat: the default account."""

    slug: str = ""
    app_id: str = "wx0123456789abcdef"
    secret: str = "0123456789abcdef0123456789abcdef"
    token: str = "tokenfortests"
    aes_key: str = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE"
    original_id: str = "gh_0123456789ab"


# --- Requests -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    query: str
    body: bytes
    path: str = "/wechat"
    method: str = "POST"
    request_id: str = ""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}"

    @property
    def written(self) -> bytes:
        """As it goes over a bare connection."""
        head = f"{self.method} {self.target} HTTP/1.1\r\nHost: shop\r\n"
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


class Seal(Protocol):
    """`plain`, `compatible` or `sealed`. `changed` parameters of the query replace the true ones,
    None leaves one out.
    """

    def __call__(
        self, account: AnyAccount, xml: str, *, age: float = 0, **changed: str | None
    ) -> Request: ...


def plain(
    account: AnyAccount, xml: str | bytes, *, age: float = 0, **changed: str | None
) -> Request:
    """A push in plain mode."""
    body = xml if isinstance(xml, bytes) else xml.encode()
    query = {**_signed(account, age), "openid": pushes.CUSTOMER}
    return _request(account, query, changed, body)


def sealed(
    account: AnyAccount,
    xml: str,
    *,
    app_id: str | None = None,
    age: float = 0,
    **changed: str | None,
) -> Request:
    """A push in safe mode."""
    return sealed_as(account, encrypt(account, xml, app_id=app_id), age=age, **changed)


def sealed_as(
    account: AnyAccount, encrypted: str, *, age: float = 0, **changed: str | None
) -> Request:
    """Safe mode, whatever the ciphertext is."""
    receiver = f"<ToUserName>{cdata(account.original_id or pushes.ORIGINAL_ID)}</ToUserName>"
    body = f"<xml>{receiver}<Encrypt>{cdata(encrypted)}</Encrypt></xml>"
    return _request(account, _sealed_query(account, encrypted, age), changed, body.encode())


def compatible(account: AnyAccount, xml: str, *, age: float = 0, **changed: str | None) -> Request:
    """A push in compatible mode: in clear, and sealed beside it."""
    encrypted = encrypt(account, xml)
    both = xml.replace("</xml>", f"<Encrypt>{cdata(encrypted)}</Encrypt></xml>")
    return _request(account, _sealed_query(account, encrypted, age), changed, both.encode())


SEALS: Mapping[Mode, Seal] = {"plain": plain, "compatible": compatible, "safe": sealed}


def encrypt(account: AnyAccount, xml: str, *, app_id: str | None = None) -> str:
    written = PrpCrypto(_crypto(account).key).encrypt(xml, app_id or account.app_id)
    return str(written.decode())


def signature(token: str, *parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(token, *parts)
    return str(signer.signature)


def _signed(account: AnyAccount, age: float) -> dict[str, str]:
    timestamp, nonce = str(int(time.time() - age)), str(secrets.randbelow(10**10))
    signed = signature(account.token, timestamp, nonce)
    return {"signature": signed, "timestamp": timestamp, "nonce": nonce}


def _sealed_query(account: AnyAccount, encrypted: str, age: float) -> dict[str, str]:
    query = _signed(account, age)
    parts = (query["timestamp"], query["nonce"], encrypted)
    seal = {"encrypt_type": "aes", "msg_signature": signature(account.token, *parts)}
    return {**query, **seal}


def _request(
    account: AnyAccount, query: Mapping[str, str], changed: Mapping[str, str | None], body: bytes
) -> Request:
    values = {name: value for name, value in {**query, **changed}.items() if value is not None}
    return Request(urlencode(values), body, path=path_of(account))


def path_of(account: AnyAccount) -> str:
    return f"/wechat/{account.slug}" if account.slug else "/wechat"


def _crypto(account: AnyAccount) -> WeChatCrypto:
    return WeChatCrypto(account.token, account.aes_key, account.app_id)


# --- Replies ------------------------------------------------------------------------------------


def read_text(body: bytes, account: AnyAccount) -> str | None:
    """The text of a passive reply; None for `success` or an empty body. Raises ValueError on what
    WeChat cannot read.
    """
    if body in {b"", b"success"}:
        return None
    fields = _fields(body)
    if "Encrypt" in fields:
        fields = _fields(_open(fields, account).encode())
    if fields.get("MsgType") != "text":
        raise ValueError(f"no text: {fields}")
    return fields["Content"]


def opened(body: bytes, account: AnyAccount) -> str:
    """The words of a sealed reply. Raises what comes where it is not sealed, or with other keys."""
    return _fields(_open(_fields(body), account).encode())["Content"]


def _open(fields: Mapping[str, str], account: AnyAccount) -> str:
    """What is in the envelope, after its signature is checked."""
    clear = _crypto(account).decrypt_message(
        fields, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"]
    )
    return str(clear)


def _fields(xml: bytes) -> dict[str, str]:
    return {element.tag: element.text or "" for element in ElementTree.fromstring(xml)}


# --- Posting ------------------------------------------------------------------------------------


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


class Poster:
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
        self.mode: Mode = mode
        self.path = path_of(account)
        self._tls = tls
        self._bases = bases
        self._turn = itertools.count()

    def text(
        self, openid: str, content: str, *, option_id: str = "", created: int | None = None
    ) -> Push:
        xml = pushes.text_xml(
            content,
            openid=openid,
            to=self.account.original_id,
            option_id=option_id,
            created=created,
        )
        return Push(openid, xml)

    def message(
        self, openid: str, fields: str, *, kind: str = "text", created: int | None = None
    ) -> Push:
        to = self.account.original_id
        return Push(openid, pushes.message_xml(kind, fields, openid=openid, to=to, created=created))

    def event(self, openid: str, name: str, *, key: str = "", created: int | None = None) -> Push:
        fields, to = f"<EventKey>{cdata(key)}</EventKey>", self.account.original_id
        return Push(openid, pushes.event_xml(name, fields, openid=openid, to=to, created=created))

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
        url = base or bases[next(self._turn) % len(bases)]
        request = self.seal(push)
        started = time.monotonic()
        connection = self._connect(url, cut)
        try:
            connection.request("POST", request.target, request.body, {"Content-Type": "text/xml"})
            answer = connection.getresponse()
            return Delivery(answer.status, answer.read(), time.monotonic() - started)
        except (OSError, http.client.HTTPException):
            return Delivery(None, b"", time.monotonic() - started)
        finally:
            connection.close()

    def seal(self, push: Push) -> Request:
        """As the account's mode wants it."""
        seal = SEALS[self.mode]
        return replace(seal(self.account, push.xml, openid=push.openid), path=self.path)

    def read_text(self, body: bytes) -> str | None:
        return read_text(body, self.account)

    def _connect(self, url: str, cut: float) -> http.client.HTTPConnection:
        target = urlsplit(url)
        host = target.hostname or ""
        if target.scheme == "https":
            return http.client.HTTPSConnection(host, target.port, timeout=cut, context=self._tls)
        return http.client.HTTPConnection(host, target.port, timeout=cut)

    def _read(self, deliveries: list[Delivery]) -> Outcome:
        try:
            return Outcome(tuple(deliveries), self.read_text(deliveries[-1].body), notice=False)
        except (ValueError, KeyError, ElementTree.ParseError):
            return Outcome(tuple(deliveries), None, notice=True)
