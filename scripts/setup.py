"""Set up everything that `make run`, `make test` or `make check` needs. Python's standard library
only.

Says what it does, does nothing twice: when all is there it takes a fraction of a second. As root on
Debian or Ubuntu it installs what the system lacks; elsewhere it prints the command to type and goes
on without where it can.
"""

from __future__ import annotations

import argparse
import os

import debian
import environment
import packages
from say import say, stop
from system_parts import Part, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="purpose", choices=list(packages.LEVELS), default="run")
    purpose = parser.parse_args().purpose
    lacking = missing(purpose)
    if lacking and debian.can_install():
        debian.install(sorted({part.package for part in lacking}))
        lacking = missing(purpose)
    if lacking:
        _go_on_without(lacking)
    environment.ensure(can_make_one=not any(part.is_vital for part in lacking))
    packages.sync(
        purpose,
        without_mysql=any(part.is_for_mysql for part in lacking),
        with_redis=_lacks_redis(lacking),
    )


def _lacks_redis(lacking: list[Part]) -> bool:
    return any(part.package == "redis-server" for part in lacking)


def _go_on_without(lacking: list[Part]) -> None:
    names = " ".join(sorted({part.package for part in lacking}))
    consequences = dict.fromkeys(part.without for part in lacking)
    lines = ["Not installed here:"]
    for words in consequences:
        packages = ", ".join(part.package for part in lacking if part.without == words)
        lines.append(f"  {packages}: without it {words}")
    say(*lines)
    if debian.is_debian():
        say(
            f"To have it all:  {'' if debian.is_root() else 'sudo '}apt-get install "
            f"--no-install-recommends {names}"
        )
    else:
        say("To have it all, install your system's packages of the same names and start again.")
    if os.environ.get("CI") == "true":
        stop("CI=true: nothing may be missing.")


if __name__ == "__main__":
    main()
