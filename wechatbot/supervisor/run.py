"""The loop: start in order, listen, restart who dies, end who hangs, say when all is ready, stop in
order.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable
from types import FrameType

from wechatbot.supervisor.child import Child
from wechatbot.supervisor.guard import Guard
from wechatbot.supervisor.plan import Plan
from wechatbot.supervisor.readiness import missing_parts, ready_lines
from wechatbot.supervisor.signs import Beat, redis_answer, web_answer

TICK = 0.1
LOOK_EVERY = 0.3
# A slow machine takes its time; after this long the operator is told what is still missing.
SAY_WHAT_IS_MISSING_AFTER = 20.0
# Together under three seconds. Web first, so that no message comes in that no worker would answer;
# what a worker leaves unfinished is in the database and answered after the next start.
WEB_MAY_TAKE, WORKERS_MAY_TAKE, REDIS_MAY_TAKE = 1.0, 1.0, 0.6


class Stopped(Exception):
    """The operator wants us to stop."""


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # Redis writes its file when it is asked to end; the others keep nothing and may die at
        # once.
        self._redis = Child(plan.redis, death_signal=signal.SIGTERM) if plan.redis else None
        self._web = Child(plan.web)
        self._workers = [Child(worker, has_pulse=True) for worker in plan.workers]
        self._children = [*([self._redis] if self._redis else []), self._web, *self._workers]
        self._guards = self._made_guards()
        self._selector = selectors.DefaultSelector()
        self._stop_asked = False

    def _made_guards(self) -> list[Guard]:
        """Only a Redis of our own: another one is not ours to end."""
        guards = [Guard(self._web, web_answer(self._plan.host, self._plan.port), self._say)]
        guards += [Guard(worker, Beat(worker), self._say) for worker in self._workers]
        if self._redis:
            guards.append(
                Guard(self._redis, redis_answer(self._plan.redis_socket), self._say, can_dump=False)
            )
        return guards

    def run(self, preparation: int) -> int:
        """`preparation` is the process that migrates the database while Redis starts; the rest
        waits for it.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            if self._redis:
                self._start(self._redis)
            if code := self._wait_for(preparation):
                return code
            for child in (self._web, *self._workers):
                self._start(child)
            self._watch()
        except Stopped:
            self._say("stopping")
        finally:
            self._stop()
        return 0

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stop_asked:  # Asked twice: at once.
            for child in self._children:
                child.send(signal.SIGKILL)
        self._stop_asked = True

    def _wait_for(self, preparation: int) -> int:
        while True:
            try:
                self._tick()
            except Stopped:
                os.kill(preparation, signal.SIGTERM)
                raise
            pid, status = os.waitpid(preparation, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)

    def _watch(self) -> None:
        started = looked = time.monotonic()
        waiting_silently = True
        while True:
            self._tick()
            now = time.monotonic()
            if now - looked < LOOK_EVERY:
                continue
            looked = now
            missing = missing_parts(self._plan)
            if not missing:
                break
            if waiting_silently and now - started > SAY_WHAT_IS_MISSING_AFTER:
                waiting_silently = False
                self._say(f"still waiting for: {', '.join(missing)}")
        self._say(*ready_lines(self._plan))
        while True:
            self._tick()

    def _tick(self) -> None:
        if self._stop_asked:
            raise Stopped
        self._listen(TICK)
        for child in self._children:
            if child.exit_code is not None:
                code = child.exit_code
                self._reap(child)
                self._say(
                    f"{child.name} ended with code {code}, starting again in "
                    f"{child.plan_restart():.0f} s"
                )
            elif child.start_at is not None and child.start_at <= time.monotonic():
                self._start(child)
        for guard in self._guards:
            guard.look()

    def _start(self, child: Child) -> None:
        child.start()
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _reap(self, child: Child) -> None:
        self._print(child.name, child.read_lines())
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.output)
        child.reap()

    def _listen(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            self._print(key.data.name, key.data.read_lines())
            if not key.data.has_more_to_say:
                self._selector.unregister(key.fileobj)

    def _stop(self) -> None:
        self._end([self._web], WEB_MAY_TAKE)
        self._end(self._workers, WORKERS_MAY_TAKE)
        self._end([self._redis] if self._redis else [], REDIS_MAY_TAKE)

    def _end(self, children: Iterable[Child], seconds: float) -> None:
        running = [child for child in children if child.is_running]
        for child in running:
            child.send(signal.SIGTERM)
        self._listen_until(lambda: not any(child.is_running for child in running), seconds)
        for child in running:
            child.send(signal.SIGKILL)
        self._listen_until(lambda: not any(child.is_running for child in running), 0.5)

    def _listen_until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self._listen(0.05)

    def _say(self, *lines: str) -> None:
        self._print("serve", [line.encode() for line in lines])

    def _print(self, name: str, lines: Iterable[bytes]) -> None:
        # Nobody reads us any more: no reason to stop serving.
        with contextlib.suppress(BrokenPipeError):
            for line in lines:
                sys.stdout.buffer.write(f"{name:<8}| ".encode() + line + b"\n")
            sys.stdout.buffer.flush()
