"""Everything goes wrong, one thing after the other, while customers write; then the books are
closed: what came in, and what became of it.

Used by a test (short) and by a benchmark (long).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.services.process import Process, wait_until
from tests.system.shop import SORRY
from tests.system.site import Crowd, Said, Site
from tests.worlds.poster import CUT, DELIVERIES

# As the supervisor does with a process that died.
RESTART_AFTER = 1.0
# WeChat makes its third delivery ten seconds after the first, so up to here nobody notices.
LONGEST_AWAY = 8.0
# Our time limits of one call to WeChat's API together.
LONGEST_CALL = timedelta(seconds=8)
SETTLED_WITHIN = 150.0
# How long WeChat's API and a model take, so that mishaps meet calls under way.
API_SECONDS, MODEL_SECONDS = 0.5, 1.5


@dataclass(frozen=True)
class Entry:
    """What was done from when to when (time.monotonic); `at` is its beginning's time of day."""

    what: str
    begin: float
    end: float
    at: datetime

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass
class Diary:
    entries: list[Entry] = field(default_factory=list)

    @contextmanager
    def note(self, what: str) -> Iterator[None]:
        at, begin = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
        yield
        self.entries.append(Entry(what, begin, time.monotonic(), at))

    def of(self, what: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.what.startswith(what)]

    def told(self, began: float) -> list[str]:
        return [
            f"{entry.what}: {entry.begin - began:.1f} to {entry.end - began:.1f} s"
            for entry in self.entries
        ]


class Mishaps:
    """What can be done to the parts of a site. `one_at_a_time`: the next mishap meets a site that
    is whole, and customers who have their answers; else it only waits for `/readyz`.
    """

    def __init__(self, site: Site, *, rest: float = 1.0, one_at_a_time: bool = True) -> None:
        self.diary = Diary()
        self._shop = site.shop
        self._rest = rest
        self._one_at_a_time = one_at_a_time

    def every_process_dies(self) -> None:
        for process in self._shop.processes:
            with self.diary.note(f"killed {process.log.stem}"):
                process.kill()
                time.sleep(RESTART_AFTER)
                process.start()
            self._recover()

    def every_process_freezes(self, seconds: float) -> None:
        for process in self._shop.processes:
            with self.diary.note(f"frozen {process.log.stem}"):
                _freeze(process, seconds)
            self._recover()

    def redis_is_away(self, seconds: float) -> None:
        with self.diary.note("away redis"):
            self._shop.redis.kill()
            time.sleep(seconds)
            self._shop.redis.start()
        self._recover()

    def database_dies(self, seconds: float) -> None:
        server = self._shop.mariadb
        assert server is not None
        with self.diary.note("away database, killed"):
            server.kill()
            time.sleep(seconds)
            server.start()
        self._recover()

    def database_freezes(self, seconds: float) -> None:
        server = self._shop.mariadb
        assert server is not None
        with self.diary.note("away database, frozen"):
            _freeze(server.process, seconds)
        self._recover()

    def _recover(self) -> None:
        self._shop.wait_until_ready()
        if self._one_at_a_time:
            self._shop.wait_until(
                lambda: self._shop.rows(_OVERDUE)[0][0] == 0,
                SETTLED_WITHIN,
                "nobody waits for long",
            )
        time.sleep(self._rest)


def _freeze(process: Process, seconds: float) -> None:
    process.freeze()
    try:
        time.sleep(seconds)
    finally:
        process.thaw()


@dataclass(frozen=True)
class Books:
    """Numbers of messages, each of another customer. `said` is `stored` and `refused` together."""

    said: int
    stored: int
    # Told to send it again: the database was away for all three deliveries.
    refused: int
    # Of those not stored, refused or noticed: all three deliveries met a frozen web process, or a
    # database that was away for longer than WeChat's patience lasts.
    excused: int
    answered_once: int
    answered_twice: int
    # Neither an answer, nor a ticket, nor an honest "unknown".
    lost: int
    tickets: int
    # The process died while it sent the text.
    unknown: int
    # Nobody died, or the call had not begun: we should know.
    falsely_unknown: int
    notices: int
    longest_away: float
    # For whoever looks for the reason.
    remarks: tuple[str, ...] = ()

    @property
    def troubled(self) -> int:
        """Customers who were not taken in at once although they could have been."""
        return max(self.said - self.stored, self.refused + self.notices) - self.excused

    @property
    def faults(self) -> dict[str, int]:
        """What must not happen, and how often it did."""
        counts = {
            "not taken in, told to send it again, or a failure notice": self.troubled,
            "answered twice": self.answered_twice,
            "lost": self.lost,
            "falsely unknown": self.falsely_unknown,
        }
        return {what: count for what, count in counts.items() if count}


def trouble(
    site: Site,
    crowd: Crowd,
    mishaps: Mishaps,
    steps: Sequence[Callable[[Mishaps], None]],
) -> Books:
    """Customers write while `steps` happen. Returns when all is settled."""
    site.shop.model.manner.seconds = MODEL_SECONDS
    site.shop.wechat.latency = API_SECONDS
    with crowd:
        time.sleep(2)
        for step in steps:
            step(mishaps)
    wait_until_settled(site)
    fetch_what_waits(crowd)
    return close_books(site, crowd, mishaps.diary)


def endurance(site: Site, *, a_second: float, rounds: int = 1) -> Books:
    """Every process killed and frozen in turn, then Redis and the database away."""
    steps: list[Callable[[Mishaps], None]] = [
        lambda mishaps: mishaps.every_process_dies(),
        lambda mishaps: mishaps.every_process_freezes(6),
        lambda mishaps: mishaps.redis_is_away(6),
        lambda mishaps: mishaps.database_dies(4),
        lambda mishaps: mishaps.database_freezes(LONGEST_AWAY - 1),
    ]
    return trouble(site, Crowd(site, a_second=a_second), Mishaps(site), steps * rounds)


def short_endurance(site: Site, *, a_second: float) -> Books:
    """The same within a minute: a mishap does not wait until all the last one's customers have
    their answers.
    """
    steps: list[Callable[[Mishaps], None]] = [
        lambda mishaps: mishaps.every_process_dies(),
        lambda mishaps: mishaps.every_process_freezes(2),
        lambda mishaps: mishaps.redis_is_away(2),
        lambda mishaps: mishaps.database_dies(1),
        lambda mishaps: mishaps.database_freezes(3),
    ]
    mishaps = Mishaps(site, rest=0.0, one_at_a_time=False)
    return trouble(site, Crowd(site, a_second=a_second), mishaps, steps)


def short_outages(site: Site, *, messages: int, outages: int, a_second: float) -> Books:
    """Nobody dies but the database, for a moment, again and again: every outcome can be known."""
    crowd = Crowd(site, a_second=a_second, kinds=("verified",), at_most=messages)
    mishaps = Mishaps(site, rest=0.5)
    steps: list[Callable[[Mishaps], None]] = [
        lambda mishaps: mishaps.database_freezes(1.5),
        lambda mishaps: mishaps.database_dies(0.5),
    ]
    chosen = [steps[number % 2] for number in range(outages)]
    return trouble(site, crowd, mishaps, [*chosen, lambda _: _until_all_wrote(crowd, messages)])


def _until_all_wrote(crowd: Crowd, messages: int) -> None:
    wait_until(lambda: len(crowd.said) >= messages, 600, what="all customers wrote")


def wait_until_settled(site: Site) -> None:
    """Nothing is being answered or sent any more."""
    open_rows = (
        "SELECT (SELECT COUNT(*) FROM conversations_message WHERE state IN ('received',"
        " 'answering')) + (SELECT COUNT(*) FROM conversations_reply WHERE state IN ('ready',"
        " 'sending'))"
    )
    site.shop.wait_until(
        lambda: site.shop.rows(open_rows)[0][0] == 0, SETTLED_WITHIN, "all is answered and sent"
    )


def fetch_what_waits(crowd: Crowd) -> None:
    """Unverified accounts' customers look for it: by the link that they read, or in words."""
    for said in crowd.said:
        if said.kind == "unverified" and said.wanted not in said.phone.read:
            said.phone.say("查看回复")


def close_books(site: Site, crowd: Crowd, diary: Diary) -> Books:
    shop = site.shop
    began = crowd.said[0].at
    stored = Counter(openid for (openid,) in shop.rows(_STORED))
    tickets = {openid for (openid,) in shop.rows(_ON_TICKETS)}
    seen = Counter(sent.openid for sent in shop.wechat.sent)
    unknown: dict[str, Any] = dict(shop.rows(_UNKNOWN))
    false = {openid for openid, begun in unknown.items() if not _somebody_died(diary, begun)}
    read = {said.phone.openid: said.phone.read for said in crowd.said}
    answers = {said.phone.openid: read[said.phone.openid].count(said.wanted) for said in crowd.said}
    refused = {openid for openid, texts in read.items() if SORRY in texts}
    noticed = [said for said in crowd.said if said.outcome.result().notice]
    excused = [
        said
        for said in crowd.said
        if (said.outcome.result().notice or said.phone.openid in refused)
        and _met_what_nobody_survives(said, diary)
    ]
    unanswered = {openid for openid, count in answers.items() if not count}
    lost = unanswered - tickets - refused - set(unknown)
    lost -= {said.phone.openid for said in noticed if not stored[said.phone.openid]}
    return Books(
        said=len(crowd.said),
        stored=sum(1 for openid in read if stored[openid]),
        refused=len(refused),
        excused=len(excused),
        answered_once=sum(count == 1 for count in answers.values()),
        answered_twice=sum(count > 1 for count in answers.values()),
        lost=len(lost),
        tickets=len(tickets),
        unknown=len(unknown),
        falsely_unknown=len(false),
        notices=len(noticed),
        longest_away=max((entry.seconds for entry in diary.of("away database")), default=0.0),
        remarks=(
            *(f"lost: {openid} read {read[openid]}" for openid in sorted(lost)),
            *(f"twice: {openid}" for openid, count in answers.items() if count > 1),
            *(f"falsely unknown: {openid}, sent {seen[openid]} times" for openid in sorted(false)),
            *(f"notice: {_story(said, began)}" for said in noticed),
            *(
                f"refused: {_story(said, began)}"
                for said in crowd.said
                if said.phone.openid in refused
            ),
            *(f"{what}" for what in diary.told(began)),
        ),
    )


# Twice the time that a quick answer takes.
_OVERDUE = (
    "SELECT COUNT(*) FROM conversations_message WHERE state IN ('received', 'answering')"
    " AND received_at < UTC_TIMESTAMP(6) - INTERVAL 4 SECOND"
)
_STORED = "SELECT openid FROM conversations_message"
_ON_TICKETS = (
    "SELECT m.openid FROM tickets_ticket_messages tm JOIN conversations_message m"
    " ON m.id = tm.message_id"
)
_UNKNOWN = (
    "SELECT cu.openid, r.begun_at FROM conversations_reply r JOIN conversations_conversation co"
    " ON co.id = r.conversation_id JOIN conversations_customer cu ON cu.id = co.customer_id"
    " WHERE r.state = 'unknown'"
)


def _story(said: Said, began: float) -> str:
    """When it began, and each delivery's status and seconds."""
    deliveries = [(one.status, round(one.seconds, 1)) for one in said.outcome.result().deliveries]
    return f"{said.phone.openid} {said.kind} at {said.at - began:.1f} s: {deliveries}"


def _somebody_died(diary: Diary, begun_at: datetime | None) -> bool:
    """While this text was being sent."""
    if begun_at is None:
        return False
    until = begun_at + LONGEST_CALL
    return any(begun_at <= entry.at <= until for entry in diary.of("killed"))


def _met_what_nobody_survives(said: Said, diary: Diary) -> bool:
    """Each of its deliveries stood open while a web process was frozen, or the database was away
    for too long.
    """
    outages = [entry for entry in diary.of("away database") if entry.seconds > LONGEST_AWAY]
    mishaps = [*diary.of("frozen web"), *outages]
    begins = [said.at + number * CUT for number in range(DELIVERIES)]
    return all(
        any(mishap.end > begin and mishap.begin < begin + CUT for mishap in mishaps)
        for begin in begins
    )
