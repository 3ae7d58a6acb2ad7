"""A child process that is always ended, by its id, and whose words are kept for when something goes
wrong.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wechatbot.supervisor.child import die_with_parent

SYSTEM_PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"


class DidNotHappen(AssertionError):
    """What we waited for did not come; the text says what, and what the process said."""


def find_program(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name, path=SYSTEM_PATH))), None)


def wait_until(predicate: Callable[[], object], timeout: float = 10, *, what: str = "") -> None:
    end = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > end:
            raise DidNotHappen(what or f"{predicate} did not come true in {timeout} s")
        time.sleep(0.02)


class Process:
    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.log = log
        self._directory = directory
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    @property
    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._directory,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid(), signal.SIGKILL),
            )

    def wait_until(self, predicate: Callable[[], object], timeout: float, what: str) -> None:
        def happened() -> bool:
            if not self.is_running:
                raise DidNotHappen(f"{what}: {self._command[0]} ended\n{self.words[-3000:]}")
            return bool(predicate())

        try:
            wait_until(happened, timeout, what=f"{what} did not happen in {timeout} s")
        except DidNotHappen as error:
            raise DidNotHappen(f"{error}\n{self.words[-3000:]}") from None

    def kill(self) -> None:
        """As the kernel does it when memory is short: no last word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, timeout: float = 3) -> None:
        """Ask it to end, and end it when it does not."""
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        """It still holds its connections and says nothing: a machine that swaps, a network that
        drops everything.
        """
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
