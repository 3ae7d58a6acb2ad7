"""Install packages on Debian and Ubuntu, without letting them start their services."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from say import run, say, stop

# Debian asks this script before it starts a service; 101 means no.
POLICY = Path("/usr/sbin/policy-rc.d")
KEPT = Path("/usr/sbin/policy-rc.d.kept-by-wechatbot")
SERVICES = ("redis-server", "mariadb", "nginx")
MARK = "# Set up by wechatbot for the length of one installation."


def is_debian() -> bool:
    return shutil.which("apt-get") is not None


def is_root() -> bool:
    return os.geteuid() == 0


def can_install() -> bool:
    return is_debian() and is_root()


def install(packages: list[str]) -> None:
    say(f"Installing with apt: {' '.join(packages)} (a minute or two, no service is started)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"]
    run(
        [*apt, "update"], environment
    )  # A broken third-party list is no reason to stop: the next line decides.
    present = {service for service in SERVICES if _has_unit(service)}
    with services_at_rest():
        problem = run([*apt, "install", "-y", "--no-install-recommends", *packages], environment)
    if problem:
        stop(f"apt could not install them:\n{problem}")
    _leave_out_of_boot(
        [service for service in SERVICES if service not in present and _has_unit(service)]
    )


@contextlib.contextmanager
def services_at_rest() -> Iterator[None]:
    """No package starts its service in here; afterwards the machine's policy is what it was."""
    _put_back_after_a_crash()
    if _policy_refuses():
        yield
        return
    had_one = os.path.lexists(POLICY)
    if had_one:
        POLICY.rename(KEPT)
    try:
        POLICY.write_text(f"#!/bin/sh\n{MARK}\nexit 101\n", encoding="utf-8")
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if had_one:
            KEPT.rename(POLICY)


def _put_back_after_a_crash() -> None:
    """An earlier installation that was killed could not tidy up."""
    if os.path.lexists(KEPT):
        KEPT.replace(POLICY)
    elif POLICY.is_file() and MARK in POLICY.read_text(encoding="utf-8", errors="replace"):
        POLICY.unlink()


def _policy_refuses() -> bool:
    if not os.access(POLICY, os.X_OK):
        return False
    return all(
        subprocess.run([POLICY, name, "start"], check=False).returncode == 101 for name in SERVICES
    )


def _has_unit(service: str) -> bool:
    return Path(f"/lib/systemd/system/{service}.service").exists()


def _leave_out_of_boot(services: list[str]) -> None:
    """Nor at the next boot: these came as programs to use, not as services of this machine."""
    if services and Path("/run/systemd/system").exists():
        run(["systemctl", "disable", *services])
