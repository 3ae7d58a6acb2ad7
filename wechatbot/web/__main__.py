"""`python -m wechatbot.web APPLICATION --host HOST --port PORT`: the web process."""

from __future__ import annotations

import argparse
import contextlib
import sys

import uvicorn

from wechatbot.supervisor import pulse
from wechatbot.supervisor.file_limit import raise_file_limit
from wechatbot.web.bodies import MAX_BODY
from wechatbot.web.protocol import BoundedProtocol
from wechatbot.web.server import Server

STARTUP_FAILURE = 3


def main() -> int:
    said = _arguments()
    pulse.dump_stacks_on_request()
    file_limit = raise_file_limit()
    config = uvicorn.Config(
        said.application,
        host=said.host,
        port=said.port,
        loop="uvloop",
        http=BoundedProtocol,
        ws_max_size=MAX_BODY,
        lifespan="on",
        timeout_graceful_shutdown=6,
        backlog=8192,
        access_log=False,
        log_level="warning",
        # Django reads the proxy's headers itself, and WeChat reads neither of the other two.
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    server = Server(config, file_limit=file_limit)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else STARTUP_FAILURE


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m wechatbot.web", description=__doc__)
    parser.add_argument("application", nargs="?", default="wechatbot.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
