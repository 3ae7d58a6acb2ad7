"""One child process: started, listened to, started again when it died, ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import IO

from wechatbot.supervisor.plan import CHILD_ENVIRONMENT, Program
from wechatbot.supervisor.pulse import PULSE_PIPE

PR_SET_PDEATHSIG = 1
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
# A child that lived so long was well: its next death is a new story, with a short pause again.
LIVED_WELL = 30.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int, death_signal: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel ends the child when we die, however we die (Linux only)."""

    def ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, death_signal)
            # We died before the call: nobody would send the signal any more.
            if os.getppid() != parent:
                os._exit(1)

    return ask_the_kernel


class Child:
    """`is_heard`: its words come through a pipe to us, else they go where ours go. `has_pulse`: see
    `pulse`.
    """

    def __init__(
        self,
        program: Program,
        *,
        death_signal: int = signal.SIGKILL,
        is_heard: bool = True,
        has_pulse: bool = False,
    ) -> None:
        self.name = program.name
        self.start_at: float | None = None
        # When its present life began.
        self.started = 0.0
        self._is_heard = is_heard
        self._has_pulse = has_pulse
        self._pulse: int | None = None
        self._command = program.command
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = FIRST_PAUSE
        self._unfinished_line = b""
        self.has_more_to_say = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of a child that died and was not reaped yet."""
        return self._process.poll() if self._process is not None else None

    @property
    def output(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def pulse(self) -> int:
        """Our end of the pipe that it beats into."""
        assert self._pulse is not None
        return self._pulse

    def start(self) -> None:
        self.start_at = None
        self.started = time.monotonic()
        with self._pulse_pipe() as pipes:
            told = {PULSE_PIPE: str(pipes[0])} if pipes else {}
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._is_heard else None,
                stderr=subprocess.STDOUT if self._is_heard else None,
                env={**CHILD_ENVIRONMENT, **os.environ, **told},
                pass_fds=pipes,
                # Ctrl-C reaches the supervisor alone, so that it can end the children in order.
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid(), self._death_signal),
            )
        if self._is_heard:
            os.set_blocking(self.output.fileno(), False)
            self.has_more_to_say = True

    @contextlib.contextmanager
    def _pulse_pipe(self) -> Iterator[tuple[int, ...]]:
        """The child's end, for as long as the child is being started; each life has a pipe of its
        own.
        """
        if not self._has_pulse:
            yield ()
            return
        self._pulse, childs_end = os.pipe()
        os.set_blocking(self._pulse, False)
        try:
            yield (childs_end,)
        finally:
            os.close(childs_end)

    def send(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def reap(self) -> None:
        """Forget the dead process: after this the child can be started again."""
        self.output.close()
        if self._pulse is not None:
            os.close(self._pulse)
        self._process = self._pulse = None
        self._unfinished_line = b""

    def plan_restart(self) -> float:
        """Come again after a small pause, a longer one each time if it cannot stay alive."""
        if time.monotonic() - self.started > LIVED_WELL:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self.start_at = time.monotonic() + pause
        return pause

    def read_lines(self) -> list[bytes]:
        """The whole lines it wrote since the last look; its last words too when it is dead."""
        chunks = []
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output.fileno(), 65536):
                chunks.append(chunk)
            self.has_more_to_say = False
        lines = (self._unfinished_line + b"".join(chunks)).split(b"\n")
        self._unfinished_line = b"" if self.exit_code is not None else lines.pop()
        return [line for line in lines if line]
