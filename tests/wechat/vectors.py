"""Tencent's published samples of signature and AES, and two of our own for what those leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wechat.crypto import Account, Opened, check_query, open_body, signature


@dataclass(frozen=True)
class Vector:
    name: str
    token: str
    aes_key: str
    app_id: str
    timestamp: str
    nonce: str
    random: bytes
    msg_signature: str
    clear: bytes
    encrypted: str
    cipher_bytes: int

    @property
    def account(self) -> Account:
        return Account(
            account_id=1, slug="sample", app_id=self.app_id, token=self.token, aes_key=self.aes_key
        )

    @property
    def query(self) -> dict[str, str]:
        return {
            "signature": signature(self.token, self.timestamp, self.nonce),
            "timestamp": self.timestamp,
            "nonce": self.nonce,
            "encrypt_type": "aes",
            "msg_signature": self.msg_signature,
        }

    @property
    def body(self) -> bytes:
        sealed = f"<Encrypt><![CDATA[{self.encrypted}]]></Encrypt>"
        return f"<xml><ToUserName><![CDATA[gh]]></ToUserName>{sealed}</xml>".encode()


def open_envelope(account: Account, query: Mapping[str, str], body: bytes) -> Opened:
    """The two steps of the callback: who sent it, then what is in it."""
    return open_body(check_query(account, query), body)


A_CLEAR = """<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>
<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>
<CreateTime>1409735668</CreateTime>
<MsgType><![CDATA[text]]></MsgType>
<Content><![CDATA[abcdteT]]></Content>
<MsgId>6054768590064713728</MsgId>
</xml>"""

A = Vector(
    name="A",
    token="spamtest",
    aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    app_id="wx2c2769f8efd9abc2",
    timestamp="1409735669",
    nonce="1320562132",
    random=b"89465c840c5f116f",
    msg_signature="5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    clear=A_CLEAR.encode(),
    encrypted=(
        "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2L"
        "dJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6u"
        "x5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJ"
        "pXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCz"
        "pu9GhglF2PE="
    ),
    cipher_bytes=320,
)

B1 = Vector(
    name="B1",
    token="AAAAA",
    aes_key="A" * 43,
    app_id="wxba5fad812f8e6fb9",
    timestamp="1714112445",
    nonce="415670741",
    random=b"a8eedb185eb2fecf",
    msg_signature="046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    clear=(
        b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
        b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
    ),
    encrypted=(
        "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv"
        "6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNq"
        "J4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
    ),
    cipher_bytes=224,
)

B2 = Vector(
    name="B2",
    token="AAAAA",
    aes_key="A" * 43,
    app_id="wxba5fad812f8e6fb9",
    timestamp="1713424427",
    nonce="415670741",
    random=b"707722b803182950",
    msg_signature="1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    clear=b'{"demo_resp":"good luck"}',
    encrypted="ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    cipher_bytes=64,
)

C_CLEAR = """<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>
<FromUserName><![CDATA[mycreate]]></FromUserName>
<CreateTime>1409659813</CreateTime>
<MsgType><![CDATA[text]]></MsgType>
<Content><![CDATA[hello]]></Content>
<MsgId>4561255354251345929</MsgId>
<AgentID>218</AgentID>
</xml>"""

C = Vector(
    name="C",
    token="QDG6eK",
    aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    app_id="wx5823bf96d3bd56c7",
    timestamp="1409659813",
    nonce="1372623149",
    random=b"",
    msg_signature="477715d11cdb4164915debcba66cb864d751f3e6",
    clear=C_CLEAR.encode(),
    encrypted=(
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/s"
        "YYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJ"
        "YuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGU"
        "callcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDY"
        "A5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
    ),
    cipher_bytes=352,
)

D = Vector(
    name="D",
    token="tok_demo_01",
    aes_key="A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE",
    app_id="wx0123456789abcdef",
    timestamp="1700000001",
    nonce="nonce42",
    random=b"0123456789abcdef",
    msg_signature="7608656c2b6ca927184b5dbd176491dfa47ccf2b",
    clear=(
        "<xml><ToUserName><![CDATA[oDemoUser]]></ToUserName><FromUserName><![CDATA[gh_demo]]></FromUserName>"
        "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        "<Content><![CDATA[您好😀，订单已发货]]></Content></xml>"
    ).encode(),
    encrypted=(
        "SXLEvgN8TI/ulu1OK9RK+2LPEroSrFJsa0VqzPZTfNyybOYLBYUOjHRY9VGu9wkLmh673VvRFZDg54PcAc1FpOMnuiqenYY81FgBAJZg"
        "sA3QjNNyoJkmu9NqdRtTHOQPAZZKCXI327a45M9JDCr3ZRJ++pYhMNquz8da8P9Cn04id+BUqGBfMSBvaGyE7fXWz9Z2qACtcEApRj+N"
        "B++bvD3hR2nR76B5I0cBh/jdTSDlntgO6hyi9eUSgVrNhPrUiKumQnPonTbghkP0MnXtdrYkWPnQkzCArJxaHstKKNx7XcCCY9uV5HMH"
        "q6dzoYq0LnM5npJnm9QCVN11e2KErbjrIGPYzXgHzq02O0zpEm/DH9F6Ewo8uAnujUAzPeCZ"
    ),
    cipher_bytes=288,
)

E = Vector(
    name="E",
    token="tok_demo_01",
    aes_key="A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE",
    app_id="wx0123456789abcdef",
    timestamp="1700000002",
    nonce="n7",
    random=b"fedcba9876543210",
    msg_signature="c51f6652dae50a468c6cef1f347eb2c28dc6c637",
    clear=b"<xml><Content>" + b"x" * 28 + b"</Content></xml>",
    encrypted=(
        "FwGGowex2biBVdEyjtPuBZ4Czu7TczJXrF6Pt1VpPbJqm9bzMAhBTXcoE+iq9u6H5zB8/de/YlOtw25KxnSl4i4tHmf2qnKx0pWdNHPz"
        "bl8r3pWb8JpgFWDRLHAE1uT1HPVXXb/rKv7D1BKjCH0WNg7OKJDqEtKQO8tor8875xY="
    ),
    cipher_bytes=128,
)

# Those whose 16 random bytes are known, so that encryption can be compared byte by byte.
REPEATABLE = [A, B1, B2, D, E]
ALL = [A, B1, B2, C, D, E]
