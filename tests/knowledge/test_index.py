"""Every process has its own index and learns of each edit; matching never waits for a rebuild that
another makes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from common.fresh import Fresh
from common.text import Words
from knowledge import versions
from knowledge.models import FAQ, Phrasing, SynonymRule
from knowledge.retrieval.lexical import index as index_module
from knowledge.retrieval.lexical.index import Index, current_index
from knowledge.retrieval.lexical.ranking import Ranking
from knowledge.retrieval.matching import match
from knowledge.synonyms import Synonyms
from tests.clock import Clock
from tests.knowledge.builders import absent_redis, make_faq

EMPTY = Ranking([], Synonyms(()))


@pytest.fixture
def announce(django_capture_on_commit_callbacks: Callable) -> Callable[[], None]:
    def tell() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            versions.knowledge_changed()

    return tell


def test_another_process_sees_an_edit(
    shop: dict[str, int], clock: Clock, announce: Callable[[], None]
) -> None:
    here, there = current_index(), current_index()
    assert match(Words("鞋子怎么清洗"), index=there).band == "none"

    make_faq("鞋子怎么清洗")
    announce()
    clock.now += 1.1

    assert match(Words("鞋子怎么清洗"), index=there).confidence == 1.0
    assert match(Words("鞋子怎么清洗"), index=here).confidence == 1.0


@pytest.mark.parametrize(
    "edit",
    [
        lambda ids: Phrasing.objects.create(faq_id=ids["怎么退货"], text="商品寄回去"),
        lambda ids: SynonymRule.objects.create(words="退货 商品寄回去"),
        lambda ids: FAQ.objects.filter(pk=ids["门店在哪里"]).switch(enabled=True),
        lambda ids: FAQ.objects.filter(pk=ids["怎么退货"]).delete(),
        lambda ids: Phrasing.objects.filter(text="退货流程").delete(),
        lambda ids: FAQ.objects.get(pk=ids["怎么退货"]).save(),
    ],
    ids=["phrasing", "synonym", "enable", "delete faq", "delete phrasing", "save"],
)
def test_every_kind_of_edit_makes_a_new_index(
    shop: dict[str, int],
    clock: Clock,
    announce: Callable[[], None],
    edit: Callable[[dict[str, int]], object],
) -> None:
    current = current_index()
    before = current.get()

    edit(shop)
    announce()
    clock.now += 1.1

    assert current.get() is not before


@pytest.mark.django_db(transaction=True)
def test_it_asks_for_the_version_at_most_once_a_second(
    shop: dict[str, int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(index_module, "knowledge_version", lambda: asked.append(clock.now) or "v1")
    current = current_index()

    for _ in range(10):
        current.get()
        clock.now += 0.3

    assert len(asked) == 3


@pytest.mark.django_db(transaction=True)
def test_it_keeps_the_index_while_the_version_stays(shop: dict[str, int], clock: Clock) -> None:
    current = current_index()
    before = current.get()
    clock.now += 60

    assert current.get() is before


def test_the_old_index_serves_while_one_thread_builds_the_new_one(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    building, may_finish, built = threading.Event(), threading.Event(), []

    def slow_build() -> Index:
        built.append(Index((), EMPTY, {}))
        if version[0] == "new":
            building.set()
            assert may_finish.wait(10)
        return built[-1]

    version = ["old"]
    monkeypatch.setattr(index_module, "knowledge_version", lambda: version[0])
    monkeypatch.setattr(index_module, "build", slow_build)
    current = current_index()
    current.get()
    version[0] = "new"
    clock.now += 1.1

    with ThreadPoolExecutor(1) as pool:
        builder = pool.submit(current.get)
        assert building.wait(10)
        meanwhile = [current.get() for _ in range(5)]
        may_finish.set()

        old, new = built
        assert builder.result(10) is new
    assert all(index is old for index in meanwhile)
    assert current.get() is new
    assert len(built) == 2


def test_threads_that_come_before_the_first_index_wait_for_one_build(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, built = threading.Barrier(4), []

    def build() -> Index:
        built.append(Index((), EMPTY, {}))
        return built[-1]

    def get(current: Fresh[Index]) -> Index:
        together.wait(10)
        return current.get()

    monkeypatch.setattr(index_module, "knowledge_version", lambda: "v1")
    monkeypatch.setattr(index_module, "build", build)
    current = current_index()
    with ThreadPoolExecutor(4) as pool:
        indexes = list(pool.map(get, [current] * 4))

    [index] = built
    assert all(one is index for one in indexes)


def test_matching_goes_on_while_the_database_is_away(
    shop: dict[str, int],
    clock: Clock,
    announce: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    current = current_index()
    before = current.get()

    def database_is_away() -> Index:
        raise OperationalError("gone")

    make_faq("鞋子怎么清洗")
    announce()
    monkeypatch.setattr(current, "load", database_is_away)
    clock.now += 1.1

    assert current.get() is before


def test_without_database_and_index_the_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def database_is_away() -> str:
        raise OperationalError("gone")

    monkeypatch.setattr(index_module, "knowledge_version", database_is_away)

    with pytest.raises(OperationalError):
        current_index().get()


def test_matching_works_and_sees_edits_while_redis_is_away(
    shop: dict[str, int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "redis", absent_redis)
    current = current_index()
    assert match(Words("怎么退货"), index=current).band == "answer"

    make_faq("鞋子怎么清洗")
    clock.now += versions.WITHOUT_REDIS_COMPUTE_EVERY + 0.1

    assert match(Words("鞋子怎么清洗"), index=current).confidence == 1.0
