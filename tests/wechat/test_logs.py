"""The log may be read by many, at DEBUG too: no line of it opens an account."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from tests.wechat.test_client import api
from tests.worlds.api_server import ApiServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    """Everything that the product's own console would show at LOG_LEVEL=DEBUG."""
    written = io.StringIO()
    root = logging.getLogger()
    handler = logging.StreamHandler(written)
    handler.setFormatter(next(one.formatter for one in root.handlers if _is_console(one)))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def _is_console(handler: logging.Handler) -> bool:
    """The one that the settings configured, among those of pytest."""
    return handler.name == "console"


def test_a_call_to_wechat_at_debug_shows_no_access_token(
    wechat: ApiServer, console: io.StringIO
) -> None:
    client = api()
    client.send_text("oLiHua", "您好")

    assert "/cgi-bin/message/custom/send" in console.getvalue()
    assert client.access_token not in console.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "GET /cgi-bin/x?access_token=SESAME&type=1",
        "https://api.weixin.qq.com/x?a=1&access_token=SESAME",
        '{"access_token": "SESAME", "expires_in": 7200}',
        "{'appid': 'wx', 'secret': 'SESAME'}",
        "GET /cgi-bin/token?appid=wx&secret=SESAME",
    ],
)
def test_no_line_shows_a_secret(console: io.StringIO, line: str) -> None:
    logging.getLogger("any").debug(line)

    assert "SESAME" not in console.getvalue()
    assert "…" in console.getvalue()
