"""A private MariaDB on a unix socket: its files in one folder, no network, no password."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.services.process import Process, find_program
from tests.services.redis_server import MissingProgram


def is_installed() -> bool:
    return bool(find_program("mariadbd", "mysqld") and find_program("mariadb-install-db"))


class PrivateMariaDB:
    """`durable`: every commit reaches the disk, as in production; tests do without."""

    def __init__(self, folder: Path, *, max_connections: int = 200, durable: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket = folder / "mariadb.sock"
        self.process = Process(
            self._command(folder, max_connections, durable), log=folder / "mariadb.log"
        )
        self._folder = folder

    def url(self, database: str) -> str:
        return f"mysql://root@localhost/{database}?unix_socket={self.socket}"

    def start(self) -> None:
        if not self._data.exists():
            self._install()
        self.process.start()
        self.process.wait_until(self._answers, 30, "MariaDB answers")

    def stop(self) -> None:
        self.process.stop(timeout=10)

    def kill(self) -> None:
        self.process.kill()

    def make_database(self, name: str) -> str:
        """An empty database `name`; returns its DATABASE_URL."""
        self.execute(
            f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4"
        )
        return self.url(name)

    def execute(self, sql: str) -> str:
        return mariadb_client(self.socket, sql)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _install(self) -> None:
        program = find_program("mariadb-install-db")
        if program is None:
            raise MissingProgram(
                "mariadb-server is not installed: run `make test` as root, or install it."
            )
        command = [
            program,
            "--no-defaults",
            f"--datadir={self._data}",
            "--auth-root-authentication-method=normal",
        ]
        done = subprocess.run(
            [*command, "--skip-test-db", "--skip-name-resolve", *_user()],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def _command(self, folder: Path, max_connections: int, durable: bool) -> list[str]:
        return [
            find_program("mariadbd", "mysqld") or "mariadbd",
            *(
                "--no-defaults",
                f"--datadir={folder / 'data'}",
                f"--socket={self.socket}",
                # A server that starts deletes all temporary tables in this folder, those of its
                # neighbours too.
                f"--tmpdir={folder}",
                "--skip-networking",
                *_user(),
            ),
            *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"),
            *(
                f"--max-connections={max_connections}",
                f"--pid-file={folder / 'mariadb.pid'}",
                "--skip-log-bin",
            ),
            *(
                "--innodb-buffer-pool-size=64M",
                f"--innodb-flush-log-at-trx-commit={1 if durable else 0}",
            ),
            *(() if durable else ("--innodb-flush-method=nosync", "--innodb-doublewrite=0")),
        ]


def mariadb_client(socket: Path, sql: str) -> str:
    client = find_program("mariadb", "mysql") or "mariadb"
    command = [
        client,
        "--no-defaults",
        f"--socket={socket}",
        "--user=root",
        "--batch",
        f"--execute={sql}",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _user() -> list[str]:
    """MariaDB runs as root only when told so in words."""
    return ["--user=root"] if os.geteuid() == 0 else []
