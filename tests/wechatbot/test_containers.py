"""docker/ as an engine would read it: merged services, checks that work on real processes, limits
that fit.

No engine builds the image here; `tests/system/test_replacing.py` runs the script that replaces
containers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.exceptions import RedisError

from tests.services.nginx import command, furnish
from tests.services.process import find_program, wait_until
from tests.stack import ROOT, Stack, free_port
from wechatbot.supervisor.container import programs

DOCKER = ROOT / "docker"
# Pushes are held for five seconds; a model may take its forty to the end of an answer.
LONGEST_PUSH, LONGEST_ANSWER = 5, 40
MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The YAML with its anchors merged, as compose reads it."""
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"])


def is_ours(service: dict[str, Any]) -> bool:
    return "wechatbot.supervisor.container" in (service.get("command") or [])


def megabytes(size: str) -> int:
    found = re.fullmatch(r"(\d+)(m|mb|M|g|k)", size)
    assert found is not None
    number, unit = found.groups()
    return int(number) * {"g": 1024 * MEGABYTE, "k": 1024}.get(unit, MEGABYTE) // MEGABYTE


def seconds(time: str) -> int:
    return int(time.removesuffix("s"))


class TestTheServices:
    def test_they_are_the_programs_that_serve_runs(self, services: dict[str, Any]) -> None:
        started = {
            name: service["command"][3] for name, service in services.items() if is_ours(service)
        }

        assert set(started.values()) == set(programs({}))
        assert [name for name, program in started.items() if program == "web"] == ["web1", "web2"]
        assert [name for name, program in started.items() if program == "deliver"] == ["beat"]

    def test_each_of_ours_waits_for_the_tables_the_database_and_redis(
        self, services: dict[str, Any]
    ) -> None:
        for service in filter(is_ours, services.values()):
            conditions = {
                name: needed["condition"] for name, needed in service["depends_on"].items()
            }
            assert conditions == {
                "prepare": "service_completed_successfully",
                "mysql": "service_healthy",
                "redis": "service_healthy",
            }

    def test_whoever_is_waited_for_exists_and_can_become_what_is_waited_for(
        self, services: dict[str, Any]
    ) -> None:
        for service in services.values():
            for name, needed in service.get("depends_on", {}).items():
                assert (
                    needed["condition"] != "service_healthy" or "healthcheck" in services[name]
                ), name

    def test_they_are_given_the_time_that_their_work_takes(self, services: dict[str, Any]) -> None:
        grace = {
            name: seconds(one["stop_grace_period"])
            for name, one in services.items()
            if is_ours(one)
        }

        assert min(grace["web1"], grace["web2"]) > LONGEST_PUSH
        assert min(grace["worker"], grace["beat"]) == 60 > LONGEST_ANSWER

    def test_every_volume_is_declared_and_every_file_is_there(
        self, compose: dict[str, Any]
    ) -> None:
        made_by_init = {"./certificates"}
        for service in compose["services"].values():
            for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
                is_there = (
                    (DOCKER / source).exists()
                    if source.startswith(".")
                    else source in compose["volumes"]
                )
                assert is_there or source in made_by_init, source

    def test_nothing_is_open_to_the_world_but_nginx(self, services: dict[str, Any]) -> None:
        assert [name for name, service in services.items() if "ports" in service] == ["nginx"]

    def test_no_log_fills_the_disk(self, services: dict[str, Any]) -> None:
        for name, service in services.items():
            logging = service["logging"]
            assert logging["driver"] == "json-file", name
            size = megabytes(logging["options"]["max-size"]) * int(logging["options"]["max-file"])
            assert size <= 50, name

    def test_what_env_file_and_command_ask_for_is_made_by_init(
        self, services: dict[str, Any], tmp_path: Path
    ) -> None:
        """The script runs, in a copy: its .env holds every name that the file insists on."""
        copy = tmp_path / "docker"
        copy.mkdir()
        shutil.copy(DOCKER / "init.sh", copy)
        shutil.copy(ROOT / ".env.example", tmp_path)
        subprocess.run([copy / "init.sh"], check=True, capture_output=True)
        insisted_on = set(
            re.findall(r"\$\{(\w+):\?", (DOCKER / "compose.yaml").read_text(encoding="utf-8"))
        )

        made = dict(
            line.split("=", 1)
            for line in (copy / ".env").read_text().splitlines()
            if line[:1].isupper()
        )

        assert insisted_on <= {name for name, value in made.items() if value}
        assert (copy / "certificates/fullchain.pem").exists()
        assert all(
            service["env_file"] == ".env" for service in services.values() if is_ours(service)
        )
        assert ((copy / ".env").stat().st_mode & 0o077) == 0


class TestMemory:
    def test_everything_has_a_limit_and_all_of_it_fits_into_four_gigabytes(
        self, services: dict[str, Any]
    ) -> None:
        limits = {
            name: megabytes(one["mem_limit"])
            for name, one in services.items()
            if "mem_limit" in one
        }

        assert services.keys() - limits.keys() == {"prepare"}  # It ends before the others begin.
        assert sum(limits.values()) <= 3584  # The system and the engine want the rest.

    def test_redis_refuses_a_write_before_the_kernel_kills_it(
        self, services: dict[str, Any]
    ) -> None:
        service = services["redis"]
        command = service["command"]
        most = megabytes(command[command.index("--maxmemory") + 1])

        assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
        # While it writes its file anew there are two of it.
        assert most * 2 <= megabytes(service["mem_limit"])

    def test_redis_takes_the_command_as_it_stands(
        self, services: dict[str, Any], tmp_path: Path
    ) -> None:
        _, *options = services["redis"]["command"]
        program = find_program("redis-server")
        assert program is not None
        port = free_port()
        server = subprocess.Popen(
            [program, *options, "--port", str(port), "--bind", "127.0.0.1"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        )
        try:
            client = Redis(port=port, retry=None)
            _wait_for(client)
            assert int(client.config_get("maxmemory")["maxmemory"]) == 192 * MEGABYTE
        finally:
            server.terminate()
            server.wait(10)

    def test_the_databases_pages_fit_beside_its_connections(self, services: dict[str, Any]) -> None:
        options = dict(one[2:].split("=") for one in services["mysql"]["command"] if "=" in one)
        pool = megabytes(options["innodb-buffer-pool-size"])

        assert pool + int(options["max-connections"]) * 2 < megabytes(
            services["mysql"]["mem_limit"]
        )


def _wait_for(client: Redis) -> None:
    def answers() -> bool:
        try:
            return bool(client.ping())
        except RedisError:
            return False

    wait_until(answers, what="Redis answers")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(with_model=False) as stack:
        yield stack


@pytest.mark.system
class TestHealthchecks:
    """The commands as they stand, with only the names of the containers changed to where the
    processes are.
    """

    def passes(self, services: dict[str, Any], name: str, stack: Stack) -> bool:
        kind, *words = services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        assert words[0] == "python"
        words[0] = sys.executable
        words[-1] = words[-1].replace("127.0.0.1:8000", f"127.0.0.1:{stack.ports[0]}")
        words[-1] = words[-1].replace(
            'redis.Redis("redis")', f'redis.Redis.from_url("{stack.redis.url}")'
        )
        return (
            subprocess.run(words, capture_output=True, check=False, env=os.environ).returncode == 0
        )

    @pytest.mark.parametrize("name", ["web1", "web2", "worker", "beat"])
    def test_it_passes_while_the_process_is_well(
        self, services: dict[str, Any], stack: Stack, name: str
    ) -> None:
        assert self.passes(services, name, stack)

    def test_it_fails_when_the_web_process_is_gone(
        self, services: dict[str, Any], stack: Stack
    ) -> None:
        stack.webs[0].kill()
        try:
            assert not self.passes(services, "web1", stack)
        finally:
            stack.webs[0].start()
            stack.wait_until_ready()

    @pytest.mark.parametrize(
        ("name", "key"), [("worker", "heartbeat:reply"), ("beat", "heartbeat:deliver")]
    )
    def test_it_fails_when_the_heart_beats_no_more(
        self, services: dict[str, Any], stack: Stack, name: str, key: str
    ) -> None:
        process = stack.workers[0] if name == "worker" else stack.deliver
        process.kill()
        stack.redis.client.delete(key)
        try:
            assert not self.passes(services, name, stack)
        finally:
            process.start()
            stack.wait_until_ready()


@pytest.mark.nginx
class TestNginx:
    def test_it_accepts_the_file(self, tmp_path: Path) -> None:
        furnish(tmp_path, [8001, 8002], 8443, 8080)

        done = subprocess.run(
            [*command(tmp_path), "-t"], capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, done.stderr
        assert "warn" not in done.stderr

    def test_each_web_service_is_one_of_its_servers(self, services: dict[str, Any]) -> None:
        named = {}
        for file in (DOCKER / "nginx/servers").glob("*.conf"):
            found = re.fullmatch(
                r"server ([\w-]+):8000 resolve max_fails=0;\n", file.read_text(encoding="utf-8")
            )
            assert found is not None, file.name
            named[file.stem] = found[1]

        assert named == {
            name: name
            for name, one in services.items()
            if is_ours(one) and one["command"][3] == "web"
        }
        assert "include wechatbot/servers/*.conf;" in (DOCKER / "nginx/upstream.conf").read_text(
            encoding="utf-8"
        )


class TestTheImage:
    def test_it_is_not_root_and_copies_what_is_there(self) -> None:
        lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8")

        assert re.findall(r"^USER (\w+)$", lines, re.MULTILINE) == ["wechatbot"]
        copied = re.findall(r"^COPY (?!--from)(\S+) ", lines, re.MULTILINE)
        assert copied
        assert all((ROOT / source).exists() for source in copied)

    def test_it_holds_every_package_of_the_product(self) -> None:
        """What .dockerignore leaves out is not imported by what stays."""
        left_out = set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
        imported = {
            match
            for folder in (
                "wechatbot",
                "webhook",
                "tickets",
                "assistant",
                "knowledge",
                "conversations",
                "wechat",
                "llm",
            )
            for file in (ROOT / folder).rglob("*.py")
            for match in re.findall(
                r"^(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
            )
        }

        assert imported & left_out == set()


@pytest.mark.parametrize("script", ["init.sh", "replace.sh"])
def test_a_script_can_be_run_and_read(script: str) -> None:
    assert os.access(DOCKER / script, os.X_OK)
    assert subprocess.run(["sh", "-n", DOCKER / script], check=False).returncode == 0
