from __future__ import annotations

import pytest

from assistant.smalltalk import may_answer_the_bot, moment_of
from common.text import Words


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        *(
            (text, "greeting")
            for text in (
                "你好",
                "您好！",
                "Hello there",
                "在吗？",
                "你好你好",
                "早上好呀",
                "客服在吗",
            )
        ),
        *(
            (text, "thanks")
            for text in (
                "谢谢",
                "好的谢谢",
                "thank you so much!",
                "OK",
                "okay",
                "嗯",
                "知道了",
                "👍",
                "[强]",
            )
        ),
        *((text, "goodbye") for text in ("再见", "拜拜", "谢谢再见", "bye")),
        *((text, "not_understood") for text in ("？？？", "。", "[发怒]", "🐶")),
        *(
            (text, None)
            for text in (
                "你好，请问怎么退货",
                "可以吗",
                "收到了吗",
                "没收到",
                "可以退货吗",
                "1",
                "知道吗",
            )
        ),
    ],
)
def test_it_knows_small_talk_from_questions(text: str, moment: str | None) -> None:
    assert moment_of(Words(text)) == moment


def test_it_sees_that_a_bare_ok_can_answer_the_bot_and_thanks_cannot() -> None:
    assert may_answer_the_bot(Words("好的"))
    assert not may_answer_the_bot(Words("好的谢谢"))
    assert not may_answer_the_bot(Words("你好"))
