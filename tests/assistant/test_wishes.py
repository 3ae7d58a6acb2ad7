from __future__ import annotations

import time

import pytest

from assistant import wishes
from assistant.wishes import wants_human, wants_no_human
from common.text import Words


@pytest.mark.parametrize(
    "text",
    [
        *(
            "转人工",
            "人工",
            "人工客服",
            "找客服",
            "真人",
            "要人工",
            "转 人 工",
            "转人工！",
            "人工！！！",
            "轉人工",
            "客服",
        ),
        *(
            "请帮我转人工，谢谢",
            "麻烦转一下人工",
            "我想找人工客服",
            "可以转人工吗？",
            "能不能转人工啊",
            "转接人工服务",
            "叫个真人来",
        ),
        *(
            "有人工吗",
            "有没有人工客服",
            "怎么转人工",
            "跟真人说话",
            "不要机器人",
            "人工客服在吗",
            "转人工转人工",
        ),
        *("我要退款，转人工", "还是不行 转人工"),
        *(
            "human agent",
            "Human please",
            "talk to a human",
            "I'd like to speak to a real person, please",
            "agent",
        ),
        *("ｈｕｍａｎ", "customer service", "connect me to an agent"),
    ],
)
def test_it_knows_a_wish_for_a_human(text: str) -> None:
    assert wants_human(Words(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "人工智能是什么",
            "人工费多少",
            "人工服务费怎么收",
            "人工客服几点上班",
            "客服电话",
            "客服电话是多少",
            "转人工智能",
        ),
        *(
            "不要转人工",
            "不用人工",
            "取消人工",
            "你是人工还是机器人",
            "人工降雨",
            "真人秀什么时候播",
            "客服在吗",
            "怎么退货",
        ),
        *("转账", "人", "", "what is a human", "human rights", "agent fee"),
        "人工" * 200,
    ],
)
def test_it_takes_no_question_for_a_wish(text: str) -> None:
    assert not wants_human(Words(text))


@pytest.mark.parametrize(
    "text",
    ["取消人工", "不用人工了", "不需要人工了，谢谢", "算了，不用人工了", "不等了", "取消排队"],
)
def test_it_knows_who_gives_up_the_wait(text: str) -> None:
    assert wants_no_human(Words(text))
    assert not wants_human(Words(text))


@pytest.mark.parametrize("text", ["取消订单", "人工", "转人工", "不要香菜", "取消"])
def test_it_takes_nothing_else_for_giving_up(text: str) -> None:
    assert not wants_no_human(Words(text))


@pytest.mark.parametrize("pile", ["我想我要", "请", "谢谢", "please ", "转", "人工"])
def test_a_pile_of_particles_twice_as_long_costs_about_twice_as_much(
    monkeypatch: pytest.MonkeyPatch, pile: str
) -> None:
    """The bounds on a wish's length are lifted, so that the patterns alone are measured."""
    monkeypatch.setattr(wishes, "LONGEST_WISH", 10**9)
    monkeypatch.setattr(wishes, "LONGEST_MESSAGE", 10**9)

    def cpu(times: int) -> float:
        text = pile * times + "！"
        runs = []
        for _ in range(5):
            started = time.thread_time()
            wants_human(Words(text))
            wants_no_human(Words(text))
            runs.append(time.thread_time() - started)
        return min(runs)

    assert cpu(8000) / cpu(4000) < 2**1.5


def test_a_wish_is_not_looked_for_in_a_pasted_page() -> None:
    assert not wants_human(Words("转人工，" * 60))
