"""One push and its deliveries: 5 s each, cut, the same MsgId again, three times at most; then the
failure notice.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import requests
from django.db import close_old_connections

from common.http import make_session
from simulator import phone, wire
from simulator.background import run_each
from simulator.credentials import Credentials, credentials
from simulator.envelope import seal
from simulator.live import tell_follower
from simulator.models import Follower, Outcome, SimulatedAccount
from simulator.pushes import Push
from simulator.replies import Reading, read

DELIVERIES = 3
PATIENCE_SECONDS = 5.0
# The fault "slow network": this much each way.
SLOW_SECONDS = 1.5
_HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0", "Accept": "*/*"}


@dataclass(frozen=True)
class Network:
    """The account's state when the push set out; a switch thrown later concerns the next push."""

    keys: Credentials
    mode: str
    slow: bool
    all_at_once: bool
    loses_first_reply: bool


def network_now() -> Network:
    account = SimulatedAccount.current()
    return Network(
        keys=credentials(),
        mode=account.mode,
        slow=account.slow_network,
        all_at_once=account.duplicate_delivery,
        loses_first_reply=account.lose_reply,
    )


def deliver(push: Push) -> Reading:
    """The whole life of a push. Runs in the background: it may take 15 s."""
    network = network_now()
    reading = _all_at_once(push, network) if network.all_at_once else _in_turn(push, network)
    _show(push, reading)
    return reading


def _in_turn(push: Push, network: Network) -> Reading:
    for delivery in range(1, DELIVERIES + 1):
        started = time.monotonic()
        reading = _deliver_once(push, network, delivery)
        if not reading.repeats:
            return reading
        if delivery < DELIVERIES:
            # A refused connection fails at once; WeChat's next try still comes when the 5 s are
            # over.
            time.sleep(max(0.0, started + PATIENCE_SECONDS - time.monotonic()))
    return reading


def _all_at_once(push: Push, network: Network) -> Reading:
    """Three deliveries race, as WeChat's may after a hiccup; the phone shows
    the first reply only.
    """
    readings: list[Reading] = []
    lock = threading.Lock()

    def attempt(delivery: int) -> None:
        reading = _deliver_once(push, network, delivery)
        with lock:
            readings.append(reading)

    run_each(attempt, range(1, DELIVERIES + 1))
    understood = [reading for reading in readings if not reading.is_failure]
    return next((reading for reading in understood if reading.text), (understood or readings)[0])


def _deliver_once(push: Push, network: Network, delivery: int) -> Reading:
    sealed = seal(push, network.keys, network.mode)
    exchange = wire.push_starts(push, sealed, delivery=delivery, mode=network.mode)
    close_old_connections()  # no connection is held while we wait for an answer
    started = time.monotonic()
    try:
        status, body = _post(sealed.url, sealed.body, started + PATIENCE_SECONDS, slow=network.slow)
        reading = read(status, body, keys=network.keys, mode=network.mode, openid=push.openid)
        if network.loses_first_reply and delivery == 1:
            reading = Reading(Outcome.LOST, clear=reading.clear)
    except _NoAnswer as error:
        status, body, reading = None, b"", Reading(error.outcome)
    wire.push_ends(exchange, reading, status=status, body=body, seconds=time.monotonic() - started)
    return reading


class _NoAnswer(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def _post(url: str, body: bytes, deadline: float, *, slow: bool) -> tuple[int, bytes]:
    """POST over a fresh connection; cut at the deadline, on the slow network's account too."""
    pause = SLOW_SECONDS if slow else 0.0
    time.sleep(pause)
    try:
        with make_session(pool_size=1) as session:
            answer = session.post(
                url,
                data=body,
                headers=_HEADERS,
                timeout=max(0.01, deadline - time.monotonic()),
                allow_redirects=False,
                stream=True,
            )
            content = _read_until(answer, deadline)
    except requests.exceptions.RequestException as error:
        # requests names a time-out while reading the body a connection error, so the clock decides.
        late = isinstance(error, requests.exceptions.Timeout) or time.monotonic() >= deadline
        raise _NoAnswer(Outcome.TIMED_OUT if late else Outcome.NOT_REACHED) from error
    if time.monotonic() + pause > deadline:
        time.sleep(max(0.0, deadline - time.monotonic()))
        raise _NoAnswer(Outcome.TIMED_OUT)
    time.sleep(pause)
    return answer.status_code, content


def _read_until(answer: requests.Response, deadline: float) -> bytes:
    """requests limits each read, not their sum: an answer that trickles is cut here."""
    content = b""
    for chunk in answer.iter_content(65_536):
        content += chunk
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout
    return content


def _show(push: Push, reading: Reading) -> None:
    follower = Follower.objects.filter(pk=push.follower_id, openid=push.openid).first()
    if follower is None or not push.is_seen_on_the_phone:
        return
    if reading.is_failure:
        phone.show_failure(follower.pk)
    elif reading.text:
        phone.show_reply(follower.pk, reading.text, channel="passive")
    tell_follower(follower)
