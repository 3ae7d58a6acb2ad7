"""The harness of the benchmarks works: what it sends is WeChat's, what it
reports is what happened.
"""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import shop
from benchmarks.account import AES_KEY, APP_IDS, TOKEN
from benchmarks.figures import Figure, Table, percentile
from benchmarks.load import Outcome, send, with_api_texts
from benchmarks.meter import Meter
from benchmarks.peers.commands import asgi_echo, flask_on_gunicorn, flask_thread_each
from benchmarks.pushes import Push, http_request
from benchmarks.stack import is_open
from tests.services.process import Process
from tests.stack import ROOT, free_port
from tests.wechat.vectors import open_envelope
from wechat.crypto import Account
from wechat.parsing import parse


@contextmanager
def peer(command: Callable[[int], Sequence[str]], folder: Path) -> Iterator[int]:
    port = free_port()
    environment = {**os.environ, "PORT": str(port)}
    process = Process(
        command(port), log=folder / "peer.log", environment=environment, directory=ROOT
    )
    process.start()
    try:
        process.wait_until(lambda: is_open(port), 30, "the peer listens")
        yield port
    finally:
        process.stop()


class Silent(socketserver.BaseRequestHandler):
    """Takes a request and never answers; counts who came."""

    came = 0

    def handle(self) -> None:
        type(self).came += 1
        while self.request.recv(65536):
            pass


def test_it_makes_pushes_that_our_callback_opens() -> None:
    head, _, body = http_request(
        Push("oLiHua", 7, "怎么退货", 1_700_000_000), "/wechat/api", "wxbench"
    ).partition(b"\r\n\r\n")
    query = dict(
        pair.split("=", 1) for pair in head.split(b" ")[1].decode().partition("?")[2].split("&")
    )
    keys = Account(account_id=1, slug="api", app_id="wxbench", token=TOKEN, aes_key=AES_KEY)
    incoming = parse(open_envelope(keys, query, body).xml)
    assert (incoming.openid, incoming.question, incoming.created) == (
        "oLiHua",
        "怎么退货",
        1_700_000_000,
    )


@pytest.mark.system
@pytest.mark.parametrize("command", [asgi_echo, flask_on_gunicorn, flask_thread_each])
def test_it_reads_what_the_peers_echo(
    command: Callable[[int], Sequence[str]], tmp_path: Path
) -> None:
    asked = shop.for_the_model(20)
    with peer(command, tmp_path) as port:
        outcomes = send(tmp_path, asked, port, rate=100).finish()
    assert [len(one.answers) for one in outcomes] == [1] * 20
    assert {one.deliveries[0].status for one in outcomes} == {200}


@pytest.mark.system
def test_it_keeps_so_many_connections_busy(tmp_path: Path) -> None:
    with peer(asgi_echo, tmp_path) as port:
        outcomes = send(tmp_path, shop.for_the_model(50), port, at_once=4, seconds=30.0).finish()
    assert len([one for one in outcomes if one.answers]) == 50


@pytest.mark.system
def test_it_delivers_three_times_to_one_who_says_nothing(tmp_path: Path) -> None:
    Silent.came = 0
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        load = send(
            tmp_path, shop.for_the_model(2), server.server_address[1], rate=100, cut_after=0.2
        )
        outcomes = load.finish()
        server.shutdown()
    assert [[one.status for one in outcome.deliveries] for outcome in outcomes] == [[0, 0, 0]] * 2
    assert Silent.came == 6


def test_it_counts_the_processor_time_of_a_process() -> None:
    meter = Meter({"this one": os.getpid()})
    while meter.read().total <= 0:  # A hang is caught by the time limit of all tests.
        sum(range(100_000))
    hundredths = (
        meter.read().milliseconds_each(1)["this one"] / 10
    )  # The kernel counts in hundredths of a second.
    assert round(hundredths) >= 1
    assert hundredths == pytest.approx(round(hundredths))


def test_it_finds_the_answer_that_went_out_by_the_api() -> None:
    outcome = Outcome("oLiHua", 100.0, "退货", deliveries=())
    sent = [
        ("oLiHua", "您好，退货很容易", 103.0),
        ("oWangFang", "退货", 101.0),
        ("oLiHua", "再见", 104.0),
    ]
    (complete,) = with_api_texts([outcome], lambda: [sent.pop()] if sent else [], patience=5)
    assert complete.answers == [3.0]
    assert complete.other_texts == ["再见"]


def test_it_tells_bars_that_are_missed() -> None:
    table = Table("Acks", "How.")
    table.add("slower than allowed", [9.0, 3.9, 4.1], "x", 3.0, 1.7)
    table.add("good enough", 2.0, "x", 3.0, 1.7)
    table.add("as wished", 150, "", 80, 150, more_is_better=True)
    table.add("a peer", 7.0)
    assert [figure.verdict for figure in table.figures] == ["MISSED", "holds", "goal", ""]
    assert [figure.name for figure in table.missed] == ["slower than allowed"]
    assert "| slower than allowed | 3x | 1.70x | 4.10x (3.90 – 9) | MISSED |" in table.markdown()


def test_it_calls_never_what_did_not_happen() -> None:
    assert percentile([], 0.5) == float("inf")
    assert Figure("longest wait", (percentile([], 1.0),), "s").cells()[3] == "never s"


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 51), (0.95, 96), (0.99, 100), (1.0, 100)]
)
def test_it_takes_percentiles_from_what_was_measured(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected


def test_every_question_of_a_customer_is_another() -> None:
    assert len({one.text for one in shop.for_the_model(5000)}) == 5000
    assert len(shop.faqs()) == 1000
    assert APP_IDS["api"] != APP_IDS["passive"]
