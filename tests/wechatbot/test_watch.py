"""When a child counts as hanging, what counts as a sign of life, and what is done with one that
hangs.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.process import wait_until
from wechatbot.supervisor import watch
from wechatbot.supervisor.child import Child
from wechatbot.supervisor.guard import Guard
from wechatbot.supervisor.plan import Program
from wechatbot.supervisor.signs import Answer, Beat, redis_answer, web_answer
from wechatbot.supervisor.watch import ANSWER_WITHIN, ASK_EVERY, START_MAY_TAKE, Watch

TICK = 0.1


class FakeSign:
    def __init__(self) -> None:
        self.lives = True
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1

    def listen(self) -> bool:
        return self.lives


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Story:
    """A watch whose time is ours."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.sign = clock, FakeSign()
        self.watch = Watch(self.sign)

    def hangs_within(self, seconds: float) -> bool:
        for _ in range(round(seconds / TICK)):
            self.clock.now += TICK
            if self.watch.look():
                return True
        return False


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    return Story(clock)


def test_who_answers_never_hangs(story: Story) -> None:
    assert not story.hangs_within(3600)
    assert story.sign.asked > 600


def test_three_misses_in_a_row_are_a_hang_and_two_are_none(story: Story) -> None:
    story.hangs_within(ASK_EVERY * 2 + 1)
    story.sign.lives = False

    assert not story.hangs_within(ASK_EVERY * 2 + ANSWER_WITHIN)
    assert story.hangs_within(ASK_EVERY)


def test_one_answer_makes_good_for_two_misses(story: Story) -> None:
    story.hangs_within(ASK_EVERY * 2 + 1)
    for _ in range(5):
        story.sign.lives = False
        assert not story.hangs_within(ASK_EVERY * 2)
        story.sign.lives = True
        assert not story.hangs_within(ASK_EVERY)


def test_a_slow_start_is_no_hang(story: Story) -> None:
    story.sign.lives = False

    assert not story.hangs_within(START_MAY_TAKE - ASK_EVERY)
    assert story.hangs_within(2 * ASK_EVERY)


def test_who_watches_and_was_held_up_itself_begins_anew(story: Story) -> None:
    """A laptop that slept: nobody gave a sign, and nobody hangs."""
    story.hangs_within(ASK_EVERY * 2 + 1)
    story.sign.lives = False
    story.hangs_within(ASK_EVERY * 2 + ANSWER_WITHIN)

    story.clock.now += 3600

    assert not story.watch.look()
    assert not story.hangs_within(ASK_EVERY * 2)


def has_come(answer: Answer) -> bool:
    """Within the time that a child is given."""
    answer.ask()
    try:
        wait_until(answer.listen, 1)
    except AssertionError:
        return False
    return True


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_silence_and_a_closed_port_are_no_signs(listener: socket.socket) -> None:
    """A stopped process: the kernel still takes the connection."""
    port = listener.getsockname()[1]
    answer = web_answer("0.0.0.0", port)

    assert not has_come(answer)
    listener.close()
    assert not has_come(answer)


def test_hanging_up_is_a_sign(listener: socket.socket) -> None:
    answer = web_answer("127.0.0.1", listener.getsockname()[1])

    answer.ask()
    listener.accept()[0].close()

    wait_until(answer.listen, 5)


def test_any_word_of_redis_is_a_sign() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="wb-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = str(Path(folder) / "redis.sock")
        answer = redis_answer(path)
        assert not has_come(answer)
        listener.bind(path)
        listener.listen()

        answer.ask()
        wait_until(lambda: answer.listen() or True, 5)
        connection, _ = listener.accept()
        assert connection.recv(64) == b"PING\r\n"
        connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")

        wait_until(answer.listen, 5)
        connection.close()


# Python's regular expressions hold the interpreter: no thread runs, no handler in Python either.
HANGS = """
import re, signal
from wechatbot.supervisor import pulse
signal.signal(signal.SIGUSR1, lambda *_: None)
pulse.start()
signal.pause()
def freeze_here():
    re.match("(a+)+$", "a" * 60 + "b")
freeze_here()
"""


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same story without the long pauses."""
    monkeypatch.setattr(watch, "ASK_EVERY", 1.6)
    monkeypatch.setattr(watch, "ANSWER_WITHIN", 1.5)


@pytest.mark.usefixtures("quick_watch")
def test_a_child_that_holds_the_interpreter_tells_where_and_is_ended() -> None:
    child = Child(Program("worker", (sys.executable, "-c", HANGS)), has_pulse=True)
    said: list[str] = []
    heard = b""
    child.start()
    try:
        guard = Guard(child, Beat(child), said.append)
        wait_until(lambda: guard.look() or guard._watch._has_lived, 60, what="a first beat")
        child.send(signal.SIGUSR1)

        def is_over() -> bool:
            nonlocal heard
            guard.look()
            heard += b"\n".join(child.read_lines())
            return not child.is_running

        wait_until(is_over, 60, what="the child is ended")
        heard += b"\n".join(child.read_lines())
    finally:
        child.send(signal.SIGKILL)

    assert child.exit_code == -signal.SIGKILL
    assert len(said) == 1
    assert "worker gives no sign of life" in said[0]
    assert b"in freeze_here" in heard


@pytest.mark.usefixtures("quick_watch")
def test_a_stopped_child_is_ended_and_its_next_life_is_watched_anew() -> None:
    lives = "import time; from wechatbot.supervisor import pulse; pulse.start(); time.sleep(600)"
    child = Child(Program("worker", (sys.executable, "-c", lives)), has_pulse=True)
    said: list[str] = []
    guard = Guard(child, Beat(child), said.append)
    try:
        for life in (1, 2):
            child.start()
            wait_until(lambda: guard.look() or guard._watch._has_lived, 60, what="a first beat")
            os.kill(_pid(child), signal.SIGSTOP)

            wait_until(lambda: guard.look() or not child.is_running, 60, what="the child is ended")
            assert len(said) == life
            child.reap()
    finally:
        child.send(signal.SIGKILL)


def _pid(child: Child) -> int:
    assert child._process is not None
    return child._process.pid
