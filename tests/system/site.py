"""The shop behind nginx, as docker/ sets it up, and the customers who keep writing to it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.services.nginx import start_nginx
from tests.stack import free_port
from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, UNVERIFIED, Kind, Phone, Shop
from tests.worlds.poster import Outcome, Poster

BOTH_KINDS: tuple[Kind, ...] = ("unverified", "verified")


class Site:
    """The web processes behind nginx, and the one account or the other before it."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop = shop
        self.folder = folder
        self.port = free_port()
        self.nginx = start_nginx(folder, shop.ports, self.port, free_port())
        self._tls = ssl.create_default_context(cafile=str(folder / "certificates/fullchain.pem"))

    def phone(self, kind: Kind, openid: str) -> Phone:
        account = self.shop.account if kind == "verified" else UNVERIFIED
        side = Poster(lambda: [f"https://localhost:{self.port}"], account, tls=self._tls)
        return Phone(self.shop, side, openid)


@dataclass(frozen=True)
class Said:
    """One customer's first question: when they sent it (time.monotonic), and what they should
    read.
    """

    phone: Phone
    kind: Kind
    asks_model: bool
    at: float
    outcome: Future[Outcome]

    @property
    def wanted(self) -> str:
        return MODEL_ANSWER if self.asks_model else FAQ_ANSWER


class Crowd:
    """Customers who write at a steady pace, each their first question, until the `with` block or
    their number ends. Of each kind of account every other one asks the model.
    """

    def __init__(
        self,
        site: Site,
        *,
        a_second: float,
        kinds: Sequence[Kind] = BOTH_KINDS,
        at_most: int = 100_000,
    ) -> None:
        self.site = site
        self.said: list[Said] = []
        self._pause = 1 / a_second
        self._kinds = kinds
        self._at_most = at_most
        self._ends = threading.Event()
        self._pool = ThreadPoolExecutor(200)
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _write(self) -> None:
        number = 0
        began = time.monotonic()
        while not self._ends.is_set() and number < self._at_most:
            self.said.append(self._say(number))
            number += 1
            self._ends.wait(max(0.0, began + number * self._pause - time.monotonic()))

    def _say(self, number: int) -> Said:
        kind = self._kinds[number % len(self._kinds)]
        asks_model = bool(number // len(self._kinds) % 2)
        phone = self.site.phone(kind, f"oCrowd{number}")
        words = f"给我讲讲第 {number} 号仓库的历史" if asks_model else QUESTION
        outcome = self._pool.submit(phone.say, words)
        return Said(phone, kind, asks_model, time.monotonic(), outcome)
