"""What `serve` looks at before it turns into the supervisor. Knows the settings, unlike the rest of
this package.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from django.conf import settings

from common.redis import REDIS_AWAY, redis
from wechat.console import PUSHES
from wechatbot.supervisor import child
from wechatbot.supervisor.plan import (
    Plan,
    Program,
    deliver_program,
    redis_program,
    web_program,
    worker_program,
)

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
REDIS_MAY_TAKE = 15.0


class CannotStart(Exception):
    """Something is in the way; the text is the one line that the operator sees."""


def with_matching_settings(host: str, port: int) -> None:
    """Settings are derived from PORT (public address, the simulator's API), and an address that
    others reach is no place for DEBUG. Where the options say otherwise than the environment, begin
    again with the environment changed.
    """
    wanted = {"PORT": str(port)} if port != settings.PORT else {}
    if host not in LOOPBACK and settings.DEBUG:
        wanted["DEBUG"] = "false"
    if wanted:
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def hold_the_only_place() -> None:
    """Two of us on one DATA_DIR would fight for the socket of Redis. The lock ends with this
    process.
    """
    settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close_to_others(settings.DATA_DIR)
    lock = os.open(settings.DATA_DIR / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 20).decode() or "unknown"
        raise CannotStart(
            f"wechatbot is already running on {settings.DATA_DIR} (process {owner})."
        ) from None
    os.set_inheritable(lock, True)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def _close_to_others(folder: Path) -> None:
    """Only a folder that is ours alone: DATA_DIR may have been set to one that others use."""
    if (folder / "secrets").is_dir() and folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)


def check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        words = getattr(error, "strerror", None) or error
        raise CannotStart(
            f"Cannot use port {port} on {host}: {words}. Try another: PORT={port + 1} make run"
        ) from error


def make_plan(host: str, port: int) -> Plan:
    password_file = settings.SECRETS_DIR / "admin_password"
    return Plan(
        host=host,
        port=port,
        host_header=_host_header(),
        web=web_program(host, port),
        workers=(worker_program(settings.WORKER_THREADS), deliver_program()),
        redis=private_redis() if settings.EMBEDDED else None,
        redis_socket=str(settings.REDIS_SOCKET),
        urls=tuple(_urls()),
        password_file=str(password_file),
        password_is_new=not password_file.exists(),
    )


def _host_header() -> str:
    """A name that our own web process answers to."""
    hosts = [host for host in settings.ALLOWED_HOSTS if host != "*"]
    return "127.0.0.1" if not hosts or "127.0.0.1" in hosts else hosts[0].lstrip(".")


def _urls() -> list[tuple[str, str]]:
    simulator = [("Simulator", f"{settings.PUBLIC_URL}/simulator/")] if settings.SIMULATOR else []
    callback = [] if settings.WECHAT_IS_SIMULATED else _for_the_console()
    return [
        *simulator,
        ("Admin", f"{settings.PUBLIC_URL}/admin/"),
        ("Tickets", f"{settings.PUBLIC_URL}/desk/"),
        *callback,
    ]


def _for_the_console() -> list[tuple[str, str]]:
    """What the operator enters at WeChat."""
    lines = [("WeChat URL", f"{settings.PUBLIC_URL}/wechat")]
    if settings.WECHAT_ENCRYPTED_ONLY and settings.WECHAT_ENCODING_AES_KEY:
        lines.append(("WeChat mode", f"安全模式 at {PUSHES}; plain pushes are refused"))
    return lines


def private_redis() -> Program:
    """Where no redis-server is installed, the set-up brings one into the virtual environment."""
    program = shutil.which("redis-server") or shutil.which(
        "redis-server", path=str(Path(sys.executable).parent)
    )
    if program is None:
        raise CannotStart(
            "redis-server is missing. Install it (Debian: apt-get install redis-server), run `make "
            "run`, "
            "or name a server of yours in REDIS_URL."
        )
    folder = settings.DATA_DIR / "redis"
    for private in (folder, settings.REDIS_SOCKET.parent):
        _make_private(private)
    return redis_program(program, socket=settings.REDIS_SOCKET, folder=folder)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise CannotStart(f"{folder} belongs to another user; the private Redis cannot live there.")
    folder.chmod(0o700)


def wait_for_redis() -> None:
    """Redis reads its file before it answers; without REDIS_URL it was started a moment ago."""
    end = time.monotonic() + REDIS_MAY_TAKE
    while True:
        try:
            redis().ping()
            return
        except REDIS_AWAY as error:
            if time.monotonic() > end:
                hint = (
                    f" See {settings.DATA_DIR / 'redis' / 'redis.log'}."
                    if settings.EMBEDDED
                    else ""
                )
                raise CannotStart(f"Redis does not answer: {error}.{hint}") from error
        time.sleep(0.05)


def die_with_parent(parent: int) -> None:
    child.die_with_parent(parent, signal.SIGTERM)()


def settle_down() -> None:
    """The children are modules of this project and read the same settings, wherever the command was
    typed.
    """
    os.umask(0o077)
    os.environ["DATA_DIR"] = str(settings.DATA_DIR)
    os.chdir(settings.BASE_DIR)
