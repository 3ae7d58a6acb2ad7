from __future__ import annotations

from simulator.links import pieces
from wechat.replies import tap_link


def test_it_finds_what_our_tap_links_send() -> None:
    text = "正在查询，" + tap_link("点这里查看", content="查看回复 & 50%+", option_id="m 7") + "。"
    assert pieces(text) == [
        {"text": "正在查询，"},
        {"text": "点这里查看", "tap": {"content": "查看回复 & 50%+", "option_id": "m 7"}},
        {"text": "。"},
    ]


def test_a_link_without_content_sends_its_label() -> None:
    assert pieces('<a href="weixin://bizmsgmenu?msgmenuid=1">满意</a>') == [
        {"text": "满意", "tap": {"content": "满意", "option_id": "1"}}
    ]


def test_entities_in_the_address_are_read() -> None:
    found = pieces("<a href='weixin://bizmsgmenu?msgmenucontent=a&amp;msgmenuid=2'>甲</a>")
    assert found == [{"text": "甲", "tap": {"content": "a", "option_id": "2"}}]


def test_web_links_stay_links_and_scripts_become_words() -> None:
    assert pieces('<a href="https://example.com/?a=1">网页</a>') == [
        {"text": "网页", "href": "https://example.com/?a=1"}
    ]
    assert pieces('<a href="javascript:alert(1)">点我</a>') == [{"text": "点我"}]


def test_other_mark_up_is_text() -> None:
    assert pieces("<b>粗</b> 5 < 7\n<script>x</script>") == [
        {"text": "<b>粗</b> 5 < 7\n<script>x</script>"}
    ]
    assert pieces("") == []
