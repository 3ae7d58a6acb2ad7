from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, transaction
from redis.exceptions import ConnectionError as RedisConnectionError

from common import fresh
from common.redis import redis
from tests.clock import Clock
from tests.factories import AccountFactory
from wechat import accounts
from wechat.crypto import Account
from wechat.models import OfficialAccount, ReplyMode

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(accounts, "time", clock)
    return clock


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that the rows were read."""
    seen: list[None] = []
    load = accounts.snapshot.load

    def watched() -> accounts.Snapshot:
        seen.append(None)
        return load()

    monkeypatch.setattr(accounts.snapshot, "load", watched)
    return seen


def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise RedisConnectionError("no Redis")

    monkeypatch.setattr(fresh, "redis", away)


def edited_elsewhere(**values: object) -> None:
    """Another process changes the account and announces it."""
    OfficialAccount.objects.update(**values)
    redis().set(accounts.VERSION_KEY, "version-of-another")


# --- What is handed out -------------------------------------------------------------------------


def test_an_account_is_found_by_its_slug_and_number() -> None:
    row = AccountFactory(
        slug="shop", previous_aes_key="P" * 43, original_id="gh_1", encrypted_only=True
    )
    account = accounts.by_slug("shop")
    assert account is not None
    assert accounts.by_id(row.pk) == account
    assert (account.account_id, account.app_id, account.name, account.original_id) == (
        row.pk,
        row.app_id,
        row.name,
        "gh_1",
    )
    assert (account.token, account.aes_key, account.previous_aes_key) == (
        row.token,
        row.aes_key,
        "P" * 43,
    )
    assert account.encrypted_only
    assert account.may_send


def test_the_default_account_is_the_one_named_so() -> None:
    AccountFactory(slug="first")
    AccountFactory(slug="second", is_default=True)
    assert accounts.by_slug(None) == accounts.by_slug("second")


def test_without_a_default_the_oldest_account_is_it() -> None:
    AccountFactory(slug="first")
    AccountFactory(slug="second")
    assert accounts.by_slug(None) == accounts.by_slug("first")


def test_an_unknown_or_disabled_account_gets_no_pushes() -> None:
    AccountFactory(slug="off", enabled=False)
    assert accounts.by_slug("off") is None
    assert accounts.by_slug("nobody") is None
    assert accounts.by_slug(None) is None


def test_what_came_in_before_an_account_was_disabled_is_still_answered() -> None:
    off = AccountFactory(slug="off", enabled=False, reply_mode=ReplyMode.API)
    assert accounts.by_id(off.pk).slug == "off"
    assert accounts.by_id(off.pk).may_send


def test_an_account_that_was_just_added_is_known_by_its_number() -> None:
    assert accounts.by_slug(None) is None
    assert accounts.by_id(AccountFactory(slug="new").pk).slug == "new"


@pytest.mark.parametrize(
    ("values", "may_send"),
    [
        ({"reply_mode": ReplyMode.AUTO}, True),
        ({"reply_mode": ReplyMode.AUTO, "app_secret": ""}, False),
        ({"reply_mode": ReplyMode.API}, True),
        ({"reply_mode": ReplyMode.PASSIVE}, False),
    ],
)
def test_who_may_send(values: dict[str, str], may_send: bool) -> None:
    assert accounts.by_id(AccountFactory(**values).pk).may_send is may_send


def test_there_is_one_default_account() -> None:
    first, second = AccountFactory(is_default=True), AccountFactory()
    accounts.make_default(second)
    assert list(OfficialAccount.objects.filter(is_default=True)) == [second]
    assert accounts.by_slug(None) == accounts.by_id(second.pk)
    assert not OfficialAccount.objects.get(pk=first.pk).is_default


def known(slug: str) -> Account:
    found = accounts.by_slug(slug)
    assert found is not None
    return found


# --- The cache ----------------------------------------------------------------------------------


def test_the_rows_are_read_once(loads: list[None]) -> None:
    AccountFactory(slug="shop")
    for _ in range(5):
        assert accounts.by_slug("shop") is not None
    assert len(loads) == 1


def test_an_edit_elsewhere_is_seen_within_five_seconds(clock: Clock, loads: list[None]) -> None:
    AccountFactory(slug="shop", name="旧名")
    assert known("shop").name == "旧名"
    edited_elsewhere(name="新名")
    clock.now += accounts.CHECK_EVERY - 0.1
    assert known("shop").name == "旧名"
    clock.now += 0.2
    assert known("shop").name == "新名"
    assert accounts.CHECK_EVERY < 5
    assert len(loads) == 2


def test_without_an_edit_a_look_does_not_read_the_rows(clock: Clock, loads: list[None]) -> None:
    AccountFactory(slug="shop")
    for _ in range(3):
        accounts.by_slug("shop")
        clock.now += accounts.CHECK_EVERY
    assert len(loads) == 1


def test_an_edit_that_never_reached_redis_is_seen_within_a_minute(clock: Clock) -> None:
    AccountFactory(slug="shop", name="旧名")
    accounts.by_slug("shop")
    OfficialAccount.objects.update(name="新名")
    clock.now += fresh.RELOAD_SECONDS
    assert known("shop").name == "新名"


def test_an_edit_here_is_seen_here_at_once_and_announced_after_its_transaction() -> None:
    row = AccountFactory(slug="shop", name="旧名")
    accounts.by_slug("shop")
    before = redis().get(accounts.VERSION_KEY)
    with transaction.atomic():
        OfficialAccount.objects.filter(pk=row.pk).update(name="新名")
        accounts.changed()
        assert known("shop").name == "新名"
        assert redis().get(accounts.VERSION_KEY) == before
    first = redis().get(accounts.VERSION_KEY)
    assert first not in (None, before)
    assert known("shop").name == "新名"
    accounts.changed()
    assert redis().get(accounts.VERSION_KEY) != first


def test_rows_read_inside_a_transaction_are_read_again(clock: Clock, loads: list[None]) -> None:
    """It may look at an older state than the version tells."""
    AccountFactory(slug="shop")
    with transaction.atomic():
        accounts.by_slug("shop")
    clock.now += accounts.CHECK_EVERY
    accounts.by_slug("shop")
    clock.now += accounts.CHECK_EVERY
    accounts.by_slug("shop")
    assert len(loads) == 2


def test_an_emptied_redis_does_not_hide_an_edit(clock: Clock) -> None:
    AccountFactory(slug="shop", name="旧名")
    accounts.changed()
    accounts.by_slug("shop")
    redis().flushdb()
    OfficialAccount.objects.update(name="新名")
    clock.now += accounts.CHECK_EVERY
    assert known("shop").name == "新名"


def test_with_redis_away_the_rows_are_read_at_every_look(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    AccountFactory(slug="shop", name="旧名")
    redis_away(monkeypatch)
    assert known("shop").name == "旧名"
    OfficialAccount.objects.update(name="新名")
    accounts.changed()
    assert known("shop").name == "新名"
    OfficialAccount.objects.update(name="又改名")
    clock.now += accounts.CHECK_EVERY
    assert known("shop").name == "又改名"


def database_away() -> accounts.Snapshot:
    raise OperationalError("server has gone away")


def test_with_the_database_away_the_copy_serves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    AccountFactory(slug="shop")
    before = accounts.by_slug("shop")
    edited_elsewhere(name="新名")
    monkeypatch.setattr(accounts.snapshot, "load", database_away)
    clock.now += accounts.CHECK_EVERY
    assert accounts.by_slug("shop") == before


def test_with_the_database_away_from_the_beginning_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts.snapshot, "load", database_away)
    with pytest.raises(OperationalError):
        accounts.by_slug("shop")
    with pytest.raises(accounts.AccountsUnknown):
        on_a_loop(lambda: accounts.cached("shop"))


def test_many_threads_read_the_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look is waited for by all; `load` is a stand-in, so that no thread opens a
    connection.
    """
    reads: list[None] = []
    empty = accounts.Snapshot({}, {}, None, None)

    def load() -> accounts.Snapshot:
        reads.append(None)
        return empty

    monkeypatch.setattr(accounts.snapshot, "load", load)
    gate = threading.Barrier(8)

    def ask(number: int) -> object:
        gate.wait()
        return accounts.by_slug("shop")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [None] * 8
    assert len(reads) == 1


def test_while_one_thread_looks_the_others_go_on(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    AccountFactory(slug="shop")
    before = accounts.by_slug("shop")
    clock.now += accounts.CHECK_EVERY
    with accounts.snapshot._looking:  # As another thread that waits for the database.
        assert accounts.by_slug("shop") == before


# --- On the event loop --------------------------------------------------------------------------


def on_a_loop(work: Callable[[], Awaitable[Account | None]]) -> Account | None:
    async def run() -> Account | None:
        return await work()

    return asyncio.run(run())


def found_on_a_loop(slug: str | None) -> Account:
    found = on_a_loop(lambda: accounts.cached(slug))
    assert found is not None
    return found


def test_the_event_loop_gets_the_accounts_without_touching_the_database(clock: Clock) -> None:
    AccountFactory(slug="shop", name="旧名")
    assert found_on_a_loop("shop").name == "旧名"
    assert found_on_a_loop(None).slug == "shop"
    edited_elsewhere(name="新名")
    clock.now += accounts.CHECK_EVERY
    assert found_on_a_loop("shop").name == "新名"


class Looks:
    """Looks at a database that says nothing until `answer`, and how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.count = 0
        self.answer = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.answer.wait(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    looks = Looks()
    monkeypatch.setattr(accounts, "_look_and_close", looks)
    monkeypatch.setattr(accounts, "PUSH_WAITS", 0.01)
    yield looks
    looks.answer.set()


def test_a_push_does_not_wait_for_a_slow_look(clock: Clock, silent: Looks) -> None:
    AccountFactory(slug="shop")
    before = accounts.by_slug("shop")
    clock.now += accounts.CHECK_EVERY
    assert on_a_loop(lambda: accounts.cached("shop")) == before


def test_the_event_loop_goes_on_while_a_push_waits_for_the_first_look(silent: Looks) -> None:
    """Whoever comes meanwhile waits for the same look."""

    async def run() -> list[object]:
        pushes = [asyncio.create_task(accounts.cached("shop")) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert not any(push.done() for push in pushes)
        silent.answer.set()
        return await asyncio.gather(*pushes, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert [type(outcome) for outcome in outcomes] == [accounts.AccountsUnknown] * 3
    assert silent.count == 1


def test_a_look_that_failed_is_remembered_for_a_second(clock: Clock, silent: Looks) -> None:
    silent.error = OperationalError(2002, "no connection")
    silent.answer.set()

    def push() -> None:
        with pytest.raises(accounts.AccountsUnknown):
            on_a_loop(lambda: accounts.cached("shop"))

    push()
    push()
    assert silent.count == 1
    clock.now += accounts.LOOK_PAUSE
    push()
    assert silent.count == 2


# --- 48001 --------------------------------------------------------------------------------------


def test_an_account_without_the_api_turns_passive_until_told_otherwise() -> None:
    row = AccountFactory(reply_mode=ReplyMode.API)
    assert accounts.by_id(row.pk).may_send
    accounts.turn_passive(row.pk)
    assert not accounts.by_id(row.pk).may_send
    refused_at = OfficialAccount.objects.get().api_refused_at
    accounts.turn_passive(row.pk)
    assert OfficialAccount.objects.get().api_refused_at == refused_at
    accounts.try_api_again(row.pk)
    assert accounts.by_id(row.pk).may_send


# --- The environment ----------------------------------------------------------------------------
