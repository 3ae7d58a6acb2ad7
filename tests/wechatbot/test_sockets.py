"""WebSockets that nobody offers: a stranger's request for one is refused, and is
no error of ours.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from wechatbot.asgi import application

HEADERS = [(b"host", b"localhost"), (b"origin", b"http://localhost")]


@pytest.mark.parametrize("path", ["/", "/wechat", "/ws/", "/ws/tickets/", "/admin/login/"])
def test_an_unknown_path_is_refused_without_an_error(path: str) -> None:
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": HEADERS,
    }

    async def ask() -> dict[str, Any]:
        line = ApplicationCommunicator(application, scope)
        await line.send_input({"type": "websocket.connect"})
        answer = await line.receive_output()
        await line.wait()  # Raises what the application raised.
        return answer

    assert asyncio.run(ask())["type"] == "websocket.close"
