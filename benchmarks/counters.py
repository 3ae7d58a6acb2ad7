"""How often the servers were asked: statements to MariaDB and commands to Redis. Unlike times,
these do not waver.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from tests.services.mariadb import PrivateMariaDB
from tests.services.redis_server import PrivateRedis

_STATEMENTS = (
    "('Com_select', 'Com_insert', 'Com_update', 'Com_delete', 'Com_commit', 'Com_rollback', "
    "'Com_set_option')"
)
# What kombu and the benchmark do by themselves, message or not.
_NOT_COUNTED = ("info", "ping", "config", "hello", "client")


@dataclass(frozen=True)
class Asked:
    statements: dict[str, int]
    commands: dict[str, int]

    def since(self, before: Asked) -> Asked:
        return Asked(
            _less(self.statements, before.statements), _less(self.commands, before.commands)
        )

    def each(self, count: int) -> str:
        return f"MariaDB {_each(self.statements, count)}; Redis {_each(self.commands, count)}"


def asked_so_far(mariadb: PrivateMariaDB, redis: PrivateRedis) -> Asked:
    status = mariadb.execute(f"SHOW GLOBAL STATUS WHERE Variable_name IN {_STATEMENTS}")
    rows = csv.reader(status.splitlines()[1:], delimiter="\t")
    statements = {name.removeprefix("Com_"): int(value) for name, value in rows}
    found = redis.client.info("commandstats")
    commands = {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in found.items()}
    return Asked(
        statements,
        {name: calls for name, calls in commands.items() if name.split("|")[0] not in _NOT_COUNTED},
    )


def _less(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in now.items()}


def _each(counted: dict[str, int], count: int) -> str:
    dearest = sorted(counted.items(), key=lambda one: -one[1])[:12]
    words = ", ".join(f"{name} {asked / count:.1f}" for name, asked in dearest if asked)
    return f"{sum(counted.values()) / count:.1f} ({words})"
