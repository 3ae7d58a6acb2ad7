from __future__ import annotations

import pytest

from assistant import screening
from assistant.models import BlockedTerm, Direction
from assistant.screening import blocked_term, terms
from common import fresh
from common.redis import redis
from common.text import Words
from tests.clock import Clock

IN, OUT = Direction.IN, Direction.OUT
pytestmark = pytest.mark.django_db


def block(term: str, direction: Direction = Direction.BOTH) -> BlockedTerm:
    return BlockedTerm.objects.create(term=term, direction=direction)


def test_it_finds_nothing_when_there_are_no_terms() -> None:
    assert blocked_term(Words("什么都可以说"), IN) is None


@pytest.mark.parametrize("text", ["卖发票吗", "卖發票", "卖 发 票", "卖.发.票", "请问卖发票多少钱"])
def test_it_finds_a_term_however_it_is_written(text: str) -> None:
    block("卖发票")
    assert blocked_term(Words(text), IN) == "卖发票"


def test_it_does_not_put_ordinary_words_together() -> None:
    block("大麻")
    assert blocked_term(Words("好大，麻烦您了"), IN) is None


def test_it_takes_letters_only_as_whole_words() -> None:
    block("ass")
    assert blocked_term(Words("my class pass"), IN) is None
    assert blocked_term(Words("you ASS!"), IN) == "ass"
    assert blocked_term(Words("你是ass吗"), IN) == "ass"


def test_it_keeps_the_directions_apart() -> None:
    block("竞品", OUT)
    assert blocked_term(Words("竞品好吗"), IN) is None
    assert blocked_term(Words("竞品好吗"), OUT) == "竞品"


def test_it_joins_the_directions_of_terms_that_fold_to_the_same() -> None:
    block("竞品", OUT)
    block("競品", IN)
    assert blocked_term(Words("竞品"), IN)
    assert blocked_term(Words("竞品"), OUT)


def test_it_leaves_disabled_terms_alone() -> None:
    BlockedTerm.objects.create(term="赌博", enabled=False)
    assert blocked_term(Words("赌博"), IN) is None


@pytest.mark.django_db(transaction=True)
def test_it_reads_the_rows_again_when_the_version_changes_in_another_process(
    clock: Clock,
) -> None:
    assert blocked_term(Words("赌博"), IN) is None
    block("赌博")
    clock.now += screening.LOOK_SECONDS
    assert blocked_term(Words("赌博"), IN) is None
    redis().set(screening.VERSION_KEY, "another process wrote this")
    clock.now += screening.LOOK_SECONDS
    assert blocked_term(Words("赌博"), IN) == "赌博"


@pytest.mark.django_db(transaction=True)
def test_it_reads_the_rows_again_after_redis_was_emptied(clock: Clock) -> None:
    assert blocked_term(Words("赌博"), IN) is None
    block("赌博")
    redis().flushdb()
    clock.now += screening.LOOK_SECONDS
    assert blocked_term(Words("赌博"), IN) == "赌博"


def test_it_screens_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ConnectionError

    monkeypatch.setattr(fresh, "redis", away)
    assert blocked_term("赌博", IN) is None
    block("赌博")
    terms.changed()
    assert blocked_term(Words("赌博"), IN) == "赌博"
