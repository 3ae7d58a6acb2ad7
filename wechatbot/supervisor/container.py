"""One program of the plan for a container:
`python -m wechatbot.supervisor.container web|worker|deliver`.

A small parent that ends when its child does, also when the child hangs; then the container is
started again.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType

from wechatbot.supervisor.child import Child
from wechatbot.supervisor.file_limit import raise_file_limit
from wechatbot.supervisor.guard import Guard
from wechatbot.supervisor.plan import Program, deliver_program, web_program, worker_program
from wechatbot.supervisor.signs import Beat, Sign, web_answer

LOOK_EVERY = 0.2
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def programs(environment: Mapping[str, str]) -> dict[str, Program]:
    return {
        "web": web_program("0.0.0.0", _port(environment)),
        "worker": worker_program(int(environment.get("WORKER_THREADS", "300"))),
        "deliver": deliver_program(),
    }


def _port(environment: Mapping[str, str]) -> int:
    return int(environment.get("PORT", "8000"))


class Parent:
    def __init__(self, program: Program) -> None:
        self._child = Child(program, is_heard=False, has_pulse=program.name != "web")
        self._guard = Guard(self._child, self._sign(program), _say)
        self._is_ending = False

    def _sign(self, program: Program) -> Sign:
        if program.name == "web":
            return web_answer("127.0.0.1", _port(os.environ))
        return Beat(self._child)

    def run(self) -> int:
        """The child's exit code, as a shell would tell it."""
        for number in PASSED_ON:
            signal.signal(number, self._pass_on)
        self._child.start()
        while (code := self._child.exit_code) is None:
            time.sleep(LOOK_EVERY)
            if not self._is_ending:
                self._guard.look()
        return code if code >= 0 else 128 - code

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Each child may take its own time to end; after that the engine kills all of them."""
        self._is_ending = True
        self._child.send(number)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    known = programs(os.environ)
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        sys.exit(f"usage: python -m wechatbot.supervisor.container {'|'.join(known)}")
    raise_file_limit()
    os.umask(0o077)
    return Parent(known[sys.argv[1]]).run()


if __name__ == "__main__":
    sys.exit(main())
