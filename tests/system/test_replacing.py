"""docker/replace.sh puts a new version in place while customers write: nobody reads a failure,
nothing is asked twice.

The script runs as it is. Instead of containers it replaces real processes, by the signals and
within the times of docker/compose.yaml; before them stands nginx with docker/nginx.conf.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import yaml

from tests.services.nginx import DOCKER
from tests.services.process import Process
from tests.system.shop import MODEL_ANSWER, Kind, Shop
from tests.system.site import Crowd, Site

pytestmark = [pytest.mark.system, pytest.mark.nginx, pytest.mark.timeout(300)]

MESSAGES_A_SECOND = 20
# What the script calls: it hands the words on to the test, and waits for its answer.
FAKE_DOCKER = f"""#!{sys.executable}
import sys, urllib.request
urllib.request.urlopen("http://127.0.0.1:PORT/", " ".join(sys.argv[1:]).encode(), timeout=120)
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Shop(webs=2) as shop:
        yield shop


@pytest.fixture(scope="module")
def _site(shop: Shop) -> Iterator[Site]:
    site = Site(shop, shop.folder / "nginx")
    yield site
    site.nginx.stop()


@pytest.fixture
def site(_site: Site) -> Site:
    _site.shop.clean()
    return _site


class Compose:
    """What `docker compose` does with containers, done with the processes of the shop."""

    def __init__(self, site: Site) -> None:
        self.site = site
        shop = site.shop
        self.processes: dict[str, Process] = {
            "web1": shop.webs[0],
            "web2": shop.webs[1],
            "worker": shop.workers[0],
            "beat": shop.deliver,
        }
        self.services: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())[
            "services"
        ]
        self.did: list[str] = []

    def do(self, words: str) -> None:
        self.did.append(words)
        verb, *options = words.removeprefix("compose ").split()
        match verb:
            case "up":
                self._replace(options[-1])
            case "exec":
                assert options[-3:] == ["nginx", "-s", "reload"]
                os.kill(self.site.nginx.pid, signal.SIGHUP)
            case "run":
                self.site.shop.manage("prepare", "-v", "0")
            case "build":
                pass
            case _:
                raise AssertionError(words)

    def _replace(self, name: str) -> None:
        process = self.processes[name]
        process.stop(timeout=float(self.services[name]["stop_grace_period"].removesuffix("s")))
        process.start()
        if name.startswith("web"):
            port = self.site.shop.ports[int(name[-1]) - 1]
            process.wait_until(lambda: is_alive(port), 60, f"{name} is healthy")


def is_alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def run_script(site: Site, compose: Compose, folder: Path) -> None:
    """docker/replace.sh in a folder where `docker` is ours, and nginx's list of servers the one in
    use.
    """
    (folder / "docker/nginx").mkdir(parents=True)
    shutil.copy(DOCKER / "replace.sh", folder / "docker/replace.sh")
    (folder / "docker/nginx/servers").symlink_to(site.folder / "wechatbot/servers")
    program = folder / "bin/docker"
    program.parent.mkdir()
    with Listening() as heard:
        program.write_text(FAKE_DOCKER.replace("PORT", str(heard.port)))
        program.chmod(0o755)
        environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
        script = Process(
            [str(folder / "docker/replace.sh")], log=folder / "script.log", environment=environment
        )
        script.start()
        while script.is_running:
            heard.obey(compose.do)
    assert script.exit_code == 0, script.words


class Listening:
    """An HTTP server whose requests wait until this thread has done what they say.

    A process ends with the thread that started it, so a request's own thread starts none.
    """

    def __init__(self) -> None:
        heard: queue.Queue[tuple[str, threading.Event]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                is_done = threading.Event()
                heard.put((self.rfile.read(int(self.headers["Content-Length"])).decode(), is_done))
                is_done.wait()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._heard = heard
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def obey(self, do: Callable[[str], None]) -> None:
        with contextlib.suppress(queue.Empty):
            words, is_done = self._heard.get(timeout=0.2)
            do(words)
            is_done.set()

    def __enter__(self) -> Listening:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_new_version_takes_over_while_customers_write(site: Site, tmp_path: Path) -> None:
    site.shop.model.manner.seconds = 1.0
    compose = Compose(site)
    before = {name: process.pid for name, process in compose.processes.items()}

    with Crowd(site, a_second=MESSAGES_A_SECOND) as crowd:
        run_script(site, compose, tmp_path)

    assert all(process.pid != before[name] for name, process in compose.processes.items())
    replaced = [words.split()[-1] for words in compose.did if words.startswith("compose up")]
    assert replaced == ["web1", "web2", "worker", "beat"]
    assert compose.did.index("compose run --rm --no-deps prepare") < 3
    assert len(crowd.said) > 100
    notices = [
        (said.phone.openid, said.outcome.result())
        for said in crowd.said
        if said.outcome.result().notice
    ]
    assert notices == [], f"{site.nginx.words[-3000:]}\n{site.shop.words()}"
    for said in crowd.said:
        phone, wanted = said.phone, said.wanted
        if said.kind == "verified":
            phone.wait_to_read(wanted, 60)
        else:
            phone.tap_until(lambda phone=phone, wanted=wanted: wanted in phone.read)
        assert phone.read.count(wanted) == 1, phone.openid
        assert len(phone.replies) == 1, phone.openid
    assert site.shop.model.calls == sum(said.asks_model for said in crowd.said)
    assert all(
        "down" not in file.read_text() for file in (site.folder / "wechatbot/servers").iterdir()
    )


@pytest.mark.parametrize("kind", ["verified", "unverified"])
def test_the_other_web_process_takes_over_what_a_killed_one_held(site: Site, kind: Kind) -> None:
    """nginx brings the same request again: one delivery of WeChat, one row, one
    call of the model.
    """
    site.shop.model.manner.seconds = 1.5
    phone = site.phone(kind, "oTakenOver")
    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(phone.say, "给我讲讲你们的历史")
        site.shop.wait_until(lambda: site.shop.model.calls == 1, what="the model is asked")
        holder = 0 if _holds(site.shop.webs[0], site.shop.ports[0]) else 1
        site.shop.webs[holder].kill()
        answered = outcome.result()
    site.shop.webs[holder].start()
    site.shop.wait_until_ready()

    assert len(answered.deliveries) == 1
    assert answered.text == MODEL_ANSWER
    assert phone.message.deliveries == 1
    assert site.shop.model.calls == 1
    assert phone.read == [MODEL_ANSWER]


def _holds(web: Process, port: int) -> bool:
    """Whether nginx has an open connection to it."""
    connections = psutil.Process(web.pid).net_connections("tcp")
    return any(one.status == "ESTABLISHED" and one.laddr.port == port for one in connections)
