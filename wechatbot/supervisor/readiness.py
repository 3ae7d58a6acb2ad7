"""Ask our own `/readyz`, and the words for when it answers. A bare socket: an HTTP library costs 10
MB for one line.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

from wechatbot.supervisor.plan import Plan


def missing_parts(plan: Plan) -> list[str]:
    """What `/readyz` names; `web` when nobody answers there yet."""
    try:
        answer = _get(plan, "/readyz")
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1] == b"200":
            return []
        return list(json.loads(body)["missing"])
    except (OSError, ValueError, KeyError, IndexError):
        return ["web"]


def _get(plan: Plan, path: str) -> bytes:
    address = (reachable(plan.host), plan.port)
    request = f"GET {path} HTTP/1.0\r\nHost: {plan.host_header}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address, timeout=2) as connection:
        connection.sendall(request.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def reachable(host: str) -> str:
    """Where a process that listens on `host` answers us."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def ready_lines(plan: Plan) -> list[str]:
    width = max(len(name) for name, _ in plan.urls) + 2
    lines = ["", "wechatbot is ready", *(f"  {name:<{width}}{url}" for name, url in plan.urls)]
    password_file = Path(plan.password_file)
    if password_file.exists():
        lines.append(f"  {'Log in as':<{width}}admin, {_password_words(plan, password_file)}")
    return [*lines, "Stop with Ctrl-C.", ""]


def _password_words(plan: Plan, file: Path) -> str:
    if plan.password_is_new:
        return f"password {file.read_text(encoding='utf-8').strip()} (kept in {file})"
    return f"password in {file}"
