from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
from wechatpy import parse_message

from wechat.replies import tap_link, text_reply, without_links

LINK = re.compile(
    r'<a href="weixin://bizmsgmenu\?msgmenucontent=([^"&]*)&msgmenuid=([^"&]*)">([^<>]*)</a>'
)


def test_a_reply_swaps_sender_and_receiver() -> None:
    reply = text_reply(to="o_customer", sender="gh_ours", text="您好", created=1700000000)
    theirs = parse_message(reply)
    assert (theirs.target, theirs.source, theirs.time, theirs.content) == (
        "o_customer",
        "gh_ours",
        1700000000,
        "您好",
    )


@pytest.mark.parametrize("text", ["]]>", "a]]>b]]>c", "]]]>", "\x00\x08\x1f]]\x00>"])
def test_the_end_of_a_section_inside_a_text_is_harmless(text: str) -> None:
    reply = text_reply(to="o", sender="gh", text=text, created=1)
    assert fromstring(reply).findtext("Content") == text.translate({0: None, 8: None, 31: None})


def test_hostile_names_stay_names() -> None:
    reply = text_reply(to="o]]></ToUserName><Evil/>", sender="gh", text="x", created=1)
    assert [child.tag for child in fromstring(reply)] == [
        "ToUserName",
        "FromUserName",
        "CreateTime",
        "MsgType",
        "Content",
    ]


def test_a_tap_link_is_the_one_that_clients_know() -> None:
    link = tap_link("查看回复", content="查看回复", option_id="wechatbot-look")
    assert (
        link
        == '<a href="weixin://bizmsgmenu?msgmenucontent=查看回复&msgmenuid=wechatbot-look">查看回复</a>'
    )


@pytest.mark.parametrize(
    "text", ['a"b', "a&msgmenuid=evil", "50% <b>", "a#b?c=d e+f", "</a><a href='x'>", "换行\n吗"]
)
def test_nothing_in_a_tap_link_breaks_out_of_it(text: str) -> None:
    found = LINK.fullmatch(tap_link(text, content=text, option_id=text))
    assert found is not None
    content, option_id, label = found.groups()
    assert unquote(content) == unquote(option_id) == text
    assert label == text.translate(str.maketrans('<>&"', "＜＞＆＂"))


def test_a_tap_link_holds_no_control_characters() -> None:
    assert tap_link("a\x00", content="b\x01", option_id="c\ud800") == tap_link(
        "a", content="b", option_id="c"
    )


def test_it_reduces_tap_links_to_their_labels() -> None:
    assert (
        without_links('您是想问：<a href="weixin://bizmsgmenu?x=1">1. 退货</a>')
        == "您是想问：1. 退货"
    )
