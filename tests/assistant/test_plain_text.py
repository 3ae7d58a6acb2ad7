from __future__ import annotations

import pytest

from assistant.plain_text import from_markdown


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("# 退货\n**7 天内**可以退。", "退货\n7 天内可以退。"),
        ("- 一\n* 二\n1. 三", "· 一\n· 二\n1. 三"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("用 `退货` 按钮", "用 退货 按钮"),
        ("| 名称 | 价格 |\n|---|---|\n| 苹果 | 5 |\n完", "名称，价格\n苹果，5\n完"),
        ("[官网](https://a.com/b_c_d)", "官网：https://a.com/b_c_d"),
        ("[https://a.com](https://a.com)", "https://a.com"),
        ("> 引用\n\n---\n\n\n\n完", "引用\n\n完"),
        ("*重点* 与 2*3*4 与 a_b_c", "重点 与 2*3*4 与 a_b_c"),
        ("第一行<br>第二行", "第一行\n第二行"),
        ("价格 < 100 且 > 50 | 或", "价格 < 100 且 > 50 | 或"),
        ("普通文字，没有标记。", "普通文字，没有标记。"),
        ("\r\n  \r\n", ""),
    ],
)
def test_it_turns_markdown_into_text_that_reads_well(markdown: str, plain: str) -> None:
    assert from_markdown(markdown) == plain
