"""The demo shop answers what newcomers try first."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from common.text import Words
from knowledge.exchange.csv_file import decode
from knowledge.exchange.faqs import import_rows
from knowledge.retrieval.matching import match

DEMO = Path(__file__).parents[2] / "wechatbot" / "demo" / "faqs.csv"


@pytest.fixture
def demo_shop(db: None) -> None:
    import_rows(decode(DEMO.read_bytes()))


def test_it_has_about_thirty_faqs_in_categories_with_phrasings() -> None:
    rows = list(csv.DictReader(DEMO.open(encoding="utf-8-sig", newline="")))

    assert 25 <= len(rows) <= 40
    assert len({row["category"] for row in rows}) >= 5
    assert all(len(row["phrasings"].split("|")) >= 2 for row in rows)
    assert all(len(row["answer"].encode()) < 1000 for row in rows)


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("怎么退货", "怎么退货"),
        ("你好，請問怎麼退貨啊？", "怎么退货"),
        ("我的订单到哪了", "我的订单到哪了"),
        ("我的快递到哪了", "我的订单到哪了"),
        ("鞋子小了能换吗", "怎么换货"),
        ("发票怎么开", "怎么开发票"),
        ("包邮不", "运费多少"),
        ("优惠券用不了", "优惠券怎么用"),
        ("几点上班", "客服几点上班"),
    ],
)
def test_it_answers(demo_shop: None, asked: str, question: str) -> None:
    found = match(Words(asked))

    assert (found.band, found.evidence[0].title) == ("answer", question)


@pytest.mark.parametrize(
    "asked", ["退货怎么弄", "什么时候能发货啊急", "收货地址写错了怎么办", "有没有优惠"]
)
def test_it_at_least_suggests(demo_shop: None, asked: str) -> None:
    assert match(Words(asked)).band in ("answer", "suggest")


@pytest.mark.parametrize(
    "asked", ["今天天气怎么样", "帮我写一首诗", "人工智能是什么", "能帮我充话费吗", "好的", "你好"]
)
def test_it_has_no_answer_to_what_is_not_its_subject(demo_shop: None, asked: str) -> None:
    assert match(Words(asked)).band == "none"
