from __future__ import annotations

import pytest

from knowledge.retrieval.lexical.guards import asks_something_else


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("生鲜不可以退吗", "生鲜可以退吗"),
        ("生鲜可以退吗", "生鲜不可以退吗"),
        ("没收到货怎么办", "收到货怎么办"),
        ("can i not pay by card", "can i pay by card"),
        ("i can t log in", "i can log in"),
        ("怎么解除绑定", "怎么绑定"),
        ("怎么关闭自动续费", "怎么开通自动续费"),
        ("怎么转出", "怎么转入"),
        ("how to unlock my account", "how to lock my account"),
    ],
)
def test_the_contrary_and_the_opposite_are_something_else(asked: str, line: str) -> None:
    assert asks_something_else(asked, [line])


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("不想要了能退吗", "能退吗"),
        ("可不可以退", "可以退吗"),
        ("支不支持退货", "支持退货吗"),
        ("有没有优惠", "有优惠吗"),
        ("包邮不", "包邮吗"),
        ("发货了没有", "发货了吗"),
        ("我不知道怎么退货", "我怎么退货"),
        ("不好意思，怎么退货", "怎么退货"),
        ("不能不退吗", "能退吗"),
        ("退换货怎么弄", "怎么退货"),
        ("reopen my account", "close my account"),
        ("怎么修改手机号", "怎么修改手机"),
    ],
)
def test_what_only_looks_like_it_is_not(asked: str, line: str) -> None:
    assert not asks_something_else(asked, [line])


def test_one_line_that_asks_the_same_is_enough() -> None:
    assert not asks_something_else("怎么解绑", ["怎么绑定", "绑定和解绑"])
