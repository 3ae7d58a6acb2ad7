"""A WeChat API that takes everything at once and remembers when: `python -m benchmarks.wechat_api PORT`.

GET /sent answers `[[openid, text, time.monotonic()], …]` and forgets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

OK = b'{"errcode":0,"errmsg":"ok"}'
TOKEN = b'{"access_token":"benchmark-token","expires_in":7200}'

sent: list[tuple[str, str, float]] = []


async def serve_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            body = await reader.readexactly(_content_length(head))
            answer = _answer(head.split(" ", 2)[1], body)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(answer), answer)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # The client has gone.
    finally:
        writer.close()


def _content_length(head: str) -> int:
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
    return int(lengths[0]) if lengths else 0


def _answer(path: str, body: bytes) -> bytes:
    if "/message/custom/send" in path:
        message = json.loads(body)
        sent.append((message["touser"], message["text"]["content"], time.monotonic()))
        return OK
    if "stable_token" in path:
        return TOKEN
    if path == "/sent":
        answer = json.dumps(sent).encode()
        sent.clear()
        return answer
    return OK


async def main(port: int) -> None:
    server = await asyncio.start_server(serve_connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
