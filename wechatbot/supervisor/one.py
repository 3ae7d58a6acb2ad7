"""Turn into one program of the plan: `python -m wechatbot.supervisor.one web|worker|deliver`, for a container each."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from wechatbot.supervisor.file_limit import raise_file_limit
from wechatbot.supervisor.plan import CHILD_ENVIRONMENT, Program, deliver_program, web_program, worker_program


def programs(environment: Mapping[str, str]) -> dict[str, Program]:
    return {
        "web": web_program("0.0.0.0", int(environment.get("PORT", "8000"))),
        "worker": worker_program(int(environment.get("WORKER_THREADS", "300"))),
        "deliver": deliver_program(),
    }


def main() -> None:
    known = programs(os.environ)
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        sys.exit(f"usage: python -m wechatbot.supervisor.one {'|'.join(known)}")
    raise_file_limit()
    command = known[sys.argv[1]].command
    os.execve(command[0], command, {**CHILD_ENVIRONMENT, **os.environ})


if __name__ == "__main__":
    main()
