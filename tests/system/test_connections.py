"""What strangers may hold open: connections, heads, bodies and pages have bounds, and a push gets
through.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.at_once import at_once
from tests.services.process import Process
from tests.stack import ROOT, free_port
from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, Phone, Shop
from wechatbot.supervisor.plan import web_program

pytestmark = pytest.mark.system

FILES = 300
IDLE = 400
# Generous: the bounds themselves are 10 s for a head and 5 s for a callback's body.
PATIENCE = 60


class Narrow:
    """A web process that may have few files open, as on many a machine."""

    def __init__(self, shop: Shop) -> None:
        self.port = free_port()
        program = web_program("127.0.0.1", self.port)
        command = [
            "/bin/sh",
            "-c",
            f'ulimit -Hn {FILES}; ulimit -Sn {FILES // 2}; exec "$@"',
            "sh",
            *program.command,
        ]
        environment = {**shop.environment, "PORT": str(self.port)}
        log = shop.folder / "narrow.log"
        self.process = Process(command, log=log, environment=environment, directory=ROOT)
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(self.is_alive, PATIENCE, "/healthz")

    def is_alive(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/healthz").status == 200
        return False

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, *pieces: bytes) -> bytes:
        """Send the pieces and read until the other side closes or has said enough."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
            said = connection.recv(4096)
            # A body may come in a piece of its own.
            while b"\r\n\r\n" in said and len(said) < _whole_length(said):
                more = connection.recv(4096)
                if not more:
                    break
                said += more
            return said


def _whole_length(said: bytes) -> int:
    head, _, _ = said.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return len(head) + 4 + (int(length[1]) if length else 0)


@pytest.fixture(scope="module")
def narrow(_shop: Shop) -> Iterator[Narrow]:
    narrow = Narrow(_shop)
    narrow.start()
    yield narrow
    narrow.process.kill()


def idle_connections(
    narrow: Narrow, cleanup: ExitStack, *, sending: bytes = b""
) -> list[socket.socket]:
    opened = []
    for _ in range(IDLE):
        connection = cleanup.enter_context(narrow.connect())
        with contextlib.suppress(OSError):  # Ended already, to make room.
            connection.sendall(sending)
        opened.append(connection)
    return opened


@pytest.mark.parametrize(
    "sending",
    [b"", b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\nX-"],
    ids=["silent", "half a head"],
)
def test_more_idle_connections_than_files_do_not_keep_a_push_out(
    shop: Shop, narrow: Narrow, sending: bytes
) -> None:
    phone = shop.phone("verified", "oAmongIdle")
    with ExitStack() as cleanup:
        idle_connections(narrow, cleanup, sending=sending)

        delivery = phone.side.deliver(phone.side.text(phone.openid, QUESTION), base=narrow.url)

    assert phone.text_of(delivery) == FAQ_ANSWER


def test_connections_kept_alive_make_room_as_well(shop: Shop, narrow: Narrow) -> None:
    phone = shop.phone("verified", "oAmongKept")
    with ExitStack() as cleanup:
        for connection in idle_connections(
            narrow, cleanup, sending=b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ):
            with contextlib.suppress(OSError):
                connection.recv(4096)

        delivery = phone.side.deliver(phone.side.text(phone.openid, QUESTION), base=narrow.url)

    assert phone.text_of(delivery) == FAQ_ANSWER


def test_a_held_push_keeps_its_connection_when_idle_ones_must_go(
    shop: Shop, narrow: Narrow
) -> None:
    shop.model.behave("when told")
    phone = shop.phone("unverified", "oHeld")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")

    def ask() -> str | None:
        return phone.text_of(phone.side.deliver(push, base=narrow.url))

    def crowd() -> None:
        shop.wait_until(lambda: shop.model.calls == 1, PATIENCE, "the push is held")
        with ExitStack() as cleanup:
            idle_connections(narrow, cleanup)
            shop.model.manner.may_speak.set()
            shop.wait_until(lambda: phone.replies, PATIENCE, "the model has answered")

    answer, _ = at_once(ask, crowd)

    assert answer == MODEL_ANSWER


def test_an_unfinished_head_is_not_waited_for_for_ever(narrow: Narrow) -> None:
    assert narrow.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: a") == b""


def test_an_unfinished_body_of_a_push_is_not_waited_for_for_ever(
    shop: Shop, narrow: Narrow
) -> None:
    phone = shop.phone("verified", "oSlow")

    with narrow.connect() as connection:
        connection.sendall(_half_a_push(phone))

        assert connection.recv(4096) == b""
    assert phone.messages == []


def _half_a_push(phone: Phone) -> bytes:
    request = phone.side.seal(phone.side.text(phone.openid, QUESTION))
    return request.written[: 100 - len(request.body)]


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "


def test_a_head_up_to_the_bound_is_read(narrow: Narrow) -> None:
    answer = narrow.ask(HEAD + b"a" * 31_000 + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + b"a" * 40_000 + b"\r\n\r\n",),
        (HEAD, b"a" * 40_000),
        (b"GET /healthz?" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",),
    ],
    ids=["at once", "never ending", "in the address"],
)
def test_a_longer_head_is_refused(narrow: Narrow, pieces: tuple[bytes, ...]) -> None:
    assert narrow.ask(*pieces).startswith(b"HTTP/1.1 431 ")


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_body_over_one_megabyte_is_refused_before_it_comes(narrow: Narrow) -> None:
    answer = narrow.ask(post("/admin/login/", b"", "Content-Length: 1100000"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "太大".encode() in answer


def test_a_body_that_does_not_tell_its_size_is_counted(narrow: Narrow) -> None:
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"

    answer = narrow.ask(post("/admin/login/", chunk * 17, "Transfer-Encoding: chunked"))

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_an_import_page_takes_files(narrow: Narrow) -> None:
    """Up to twenty megabytes; who is not logged in is sent to the login, after the whole file."""
    body = b"a" * 3_000_000

    taken = narrow.ask(post("/admin/knowledge/faq/import/", body, f"Content-Length: {len(body)}"))
    refused = narrow.ask(post("/admin/knowledge/faq/import/", b"", "Content-Length: 22000000"))

    assert taken.startswith((b"HTTP/1.1 302 ", b"HTTP/1.1 403 "))
    assert refused.startswith(b"HTTP/1.1 413 ")


def test_it_says_that_files_have_run_out(narrow: Narrow) -> None:
    """As the event loop sheds connections that it cannot accept without a word."""
    resource.prlimit(narrow.process.pid, resource.RLIMIT_NOFILE, (8, FILES))
    try:
        narrow.process.wait_until(
            lambda: "EMFILE" in narrow.process.words, PATIENCE, "the log tells"
        )
    finally:
        resource.prlimit(narrow.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))

    narrow.process.wait_until(narrow.is_alive, PATIENCE, "it accepts again")


LOGINS = 40
FORM = b"username=admin&password=wrong"


def test_more_logins_than_places_are_told_to_come_again(shop: Shop, narrow: Narrow) -> None:
    """All of them end their request in the same moment, and each login keeps a place until it is
    answered.
    """
    head = post("/admin/login/", FORM[:-1], f"Content-Length: {len(FORM)}")
    with ExitStack() as cleanup:
        connections = [cleanup.enter_context(narrow.connect()) for _ in range(LOGINS)]
        for connection in connections:
            connection.sendall(head)
        for connection in connections:
            connection.sendall(FORM[-1:])
        answers = [_whole_answer(connection) for connection in connections]

    refused = [
        answer for answer in answers if answer.status == 429 and answer.getheader("Retry-After")
    ]
    assert 0 < len(refused) <= LOGINS - 8
    assert narrow.get("/admin/login/").status == 200


def _whole_answer(connection: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer


def test_a_web_process_raises_its_limit_of_open_files(narrow: Narrow) -> None:
    assert resource.prlimit(narrow.process.pid, resource.RLIMIT_NOFILE) == (FILES, FILES)
