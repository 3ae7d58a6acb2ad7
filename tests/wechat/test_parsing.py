from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wechatpy import parse_message

from common.text import without_control
from tests.samples import PAYLOADS, sample
from tests.wechat.vectors import open_envelope
from wechat import crypto, events
from wechat.crypto import Account
from wechat.events import Subscription
from wechat.incoming import KINDS, MAX_DEDUP_KEY, MAX_OPENID
from wechat.parsing import (
    Incoming,
    IncomingImage,
    IncomingLink,
    IncomingLocation,
    IncomingMiniProgramPage,
    IncomingShortVideo,
    IncomingText,
    IncomingVideo,
    IncomingVoice,
    NotUnderstood,
    Unsupported,
    parse,
)
from wechat.replies import text_reply

OPENID, OURS = "oia2TjjewbmiOUlr6X-1crbLOvLw", "gh_7f083739789a"
every_sample = pytest.mark.parametrize(
    "path", sorted(PAYLOADS.glob("*.xml")), ids=lambda path: path.stem
)


def message(**values: Any) -> dict[str, Any]:
    return {
        "openid": OPENID,
        "to": OURS,
        "created": 1731225600,
        "msg_id": "24789654321098765",
        **values,
    }


def event(**values: Any) -> dict[str, Any]:
    return {"openid": OPENID, "to": OURS, "created": 1731225700, **values}


PLACE = {"latitude": 23.134521, "longitude": 113.358803}
PHOTOS = {
    "event_key": "photo",
    "count": 2,
    "md5_sums": ("1b5f7c23b5bf75682a53e7b6d163e185", "5a75aaca956d97be686719218f275c6b"),
}
CODE = {"scan_type": "qrcode", "scan_result": "https://shop.example.com/p/1"}
TEMPLATE = "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3"
ACCEPTED = Subscription(TEMPLATE, "accept")
REJECTED = Subscription(TEMPLATE, "reject")
OTHER_REJECTED = Subscription("9nLIlbOQZC5Y89AZteFEux3WCXRRRG5W", "reject")
SENT = Subscription(TEMPLATE, "success", job_id="1700827132819554304", error_code="0")

UNDERSTOOD: dict[str, Incoming] = {
    "text": IncomingText(**message(text="鞋子小了能换吗？😀")),
    "text_menu": IncomingText(**message(text="查看回复", option_id="wechatbot-look")),
    "text_article": IncomingText(
        **message(text="文章里说的活动还有吗", article_id="2247483700", article_index="1")
    ),
    "image": IncomingImage(
        **message(
            url="http://mmbiz.qpic.cn/mmbiz_jpg/iaXcDu2bQ/0", media_id="GfP1vAqkLJ6Bk3ZsjCYpNQ"
        )
    ),
    "voice": IncomingVoice(
        **message(
            media_id="BnnQ9w-rHjmJr3fyxSJzRw",
            media_id_16k="bT2_b8dC0wz5v4G_16k",
            format="amr",
            recognition="我想退货",
        )
    ),
    "video": IncomingVideo(**message(media_id="KcVDdGpWsnTh5", thumb_media_id="5rVnpOqYdhhf2")),
    "shortvideo": IncomingShortVideo(
        **message(media_id="QmS7dGpWsnTh5", thumb_media_id="9sWnpOqYdhhf2")
    ),
    "location": IncomingLocation(
        **message(**PLACE, scale="20", label="广州市天河区体育东路 138 号")
    ),
    "link": IncomingLink(
        **message(
            title="公众平台官网链接",
            description="公众平台官网 <首页> & 帮助",
            url="https://mp.weixin.qq.com/?a=1&b=2",
        )
    ),
    "miniprogrampage": IncomingMiniProgramPage(
        **message(
            app_id="wx9c4a1f0b3d2e5a67",
            title="订单详情",
            page_path="pages/order/detail?id=20261118",
            thumb_url="https://mmbiz.qpic.cn/thumb",
            thumb_media_id="SIsaBv1kQw",
        )
    ),
    "event_subscribe": events.Subscribed(**event()),
    "event_subscribe_qrcode": events.Subscribed(
        **event(event_key="qrscene_shop_12", ticket="gQFX8DwAAAAAAAAAAS5odHRw")
    ),
    "event_unsubscribe": events.Unsubscribed(**event()),
    "event_scan": events.Scanned(**event(event_key="shop_12", ticket="gQFX8DwAAAAAAAAAAS5odHRw")),
    "event_location": events.LocationReported(
        **event(latitude=23.137466, longitude=113.352425, precision=119.385040)
    ),
    "event_click": events.MenuClicked(**event(event_key="怎么退货")),
    "event_view": events.MenuViewed(
        **event(event_key="https://shop.example.com/new", menu_id="421300876")
    ),
    "event_view_miniprogram": events.MiniProgramViewed(
        **event(event_key="pages/index/index", menu_id="421300876")
    ),
    "event_scancode_push": events.CodeScanned(**event(event_key="scan_1", **CODE)),
    "event_scancode_waitmsg": events.CodeScannedForReply(**event(event_key="scan_2", **CODE)),
    "event_pic_sysphoto": events.PhotoTaken(**event(**PHOTOS)),
    "event_pic_photo_or_album": events.PhotoTakenOrPicked(**event(**PHOTOS)),
    "event_pic_weixin": events.PhotoPicked(**event(**PHOTOS)),
    "event_location_select": events.LocationPicked(
        **event(
            event_key="where",
            **PLACE,
            scale="15",
            label="广州市海珠区客村艺苑路 106 号",
            place="客村地铁站",
        )
    ),
    "event_templatesendjobfinish": events.TemplateSent(
        **event(job_id="200163836", status="failed:user block")
    ),
    "event_subscribe_msg_popup_event": events.SubscriptionAnswered(
        **event(subscriptions=(ACCEPTED, OTHER_REJECTED))
    ),
    "event_subscribe_msg_change_event": events.SubscriptionChanged(
        **event(subscriptions=(REJECTED,))
    ),
    "event_subscribe_msg_sent_event": events.SubscriptionSent(**event(subscriptions=(SENT,))),
    "event_masssendjobfinish": events.MassSent(
        **event(
            job_id="1000001625",
            status="send success",
            total_count=100,
            filter_count=80,
            sent_count=75,
            error_count=5,
        )
    ),
    "event_kf_create_session": events.DeskSessionOpened(**event(desk_account="lina@demo")),
    "event_kf_close_session": events.DeskSessionClosed(**event(desk_account="lina@demo")),
    "event_kf_switch_session": events.DeskSessionSwitched(
        **event(from_account="lina@demo", to_account="wang@demo")
    ),
    "event_qualification_verify_success": events.QualificationVerified(**event(expires=1762761600)),
    "event_qualification_verify_fail": events.QualificationRefused(
        **event(failed=1731225000, reason="营业执照不清晰")
    ),
    "event_naming_verify_success": events.NamingVerified(**event(expires=1762761600)),
    "event_naming_verify_fail": events.NamingRefused(
        **event(failed=1731225000, reason="营业执照不清晰")
    ),
    "event_annual_renew": events.RenewalDue(**event(expires=1762761600)),
    "event_verify_expired": events.VerificationExpired(**event(expires=1762761600)),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_it_understands_the_sample(name: str) -> None:
    assert sample(name) == UNDERSTOOD[name]


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(incoming) for incoming in UNDERSTOOD.values()} == set(KINDS.values())
    assert {path.stem for path in PAYLOADS.glob("*.xml")} == {*UNDERSTOOD, *UNKNOWN}


# --- Agreement with wechatpy --------------------------------------------------------------------

SAME = {
    "text": "content",
    "url": "image",
    "media_id": "media_id",
    "thumb_media_id": "thumb_media_id",
    "format": "format",
    "recognition": "recognition",
    "label": "label",
    "title": "title",
    "description": "description",
    "page_path": "page_path",
    "scan_type": "scan_type",
    "scan_result": "scan_result",
    "latitude": "latitude",
    "longitude": "longitude",
    "status": "status",
    "total_count": "total_count",
    "sent_count": "sent_count",
    "reason": "fail_reason",
    "desk_account": "account",
    "from_account": "from_account",
    "menu_id": "menu_id",
    "ticket": "ticket",
}


@every_sample
def test_it_agrees_with_wechatpy(path: Path) -> None:
    ours, theirs = parse(path.read_bytes()), parse_message(path.read_bytes())
    assert (ours.openid, ours.to, ours.created) == (theirs.source, theirs.target, theirs.time)
    if ours.is_message:
        assert ours.msg_id == str(theirs.id)
    for our_name, their_name in SAME.items():
        if hasattr(ours, our_name) and getattr(theirs, their_name, None) is not None:
            assert getattr(ours, our_name) == getattr(theirs, their_name), our_name


@every_sample
def test_it_is_the_same_through_the_envelope(path: Path) -> None:
    clear = path.read_bytes()
    keys = Account(account_id=1, slug="s", app_id="wx1", token="token", aes_key="k" * 43)
    encrypted = crypto.encrypt(clear, aes_key=keys.aes_key, app_id=keys.app_id)
    query = {"timestamp": "1", "nonce": "2", "encrypt_type": "aes"}
    query["signature"] = crypto.signature(keys.token, "1", "2")
    query["msg_signature"] = crypto.signature(keys.token, "1", "2", encrypted)
    opened = open_envelope(keys, query, f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode())
    assert parse(opened.xml) == parse(clear)


# --- What is kept -------------------------------------------------------------------------------


@every_sample
def test_what_is_stored_is_json_and_fits_its_columns(path: Path) -> None:
    incoming = parse(path.read_bytes())
    assert (
        json.loads(json.dumps(incoming.stored_fields(), allow_nan=False))
        == incoming.stored_fields()
    )
    assert len(incoming.kind) <= 32
    assert len(incoming.openid) <= MAX_OPENID
    assert len(incoming.dedup_key) <= MAX_DEDUP_KEY


def test_it_stores_what_is_particular_to_the_kind() -> None:
    assert sample("text_menu").stored_fields() == {"option_id": "wechatbot-look"}
    assert sample("text").stored_fields() == {}
    assert sample("event_pic_weixin").stored_fields()["md5_sums"] == list(PHOTOS["md5_sums"])
    assert sample("event_subscribe_msg_popup_event").stored_fields() == {
        "subscriptions": [
            {"template_id": TEMPLATE, "result": "accept"},
            {"template_id": OTHER_REJECTED.template_id, "result": "reject"},
        ]
    }


def test_the_words_of_a_customer_are_found_where_there_are_any() -> None:
    assert sample("text").question == "鞋子小了能换吗？😀"
    assert sample("voice").question == "我想退货"
    assert sample("event_click").question == "怎么退货"
    assert sample("image").question == ""


def test_the_scene_of_a_code_is_the_same_for_new_and_old_followers() -> None:
    new, old = sample("event_subscribe_qrcode"), sample("event_scan")
    assert isinstance(new, events.Subscribed)
    assert isinstance(old, events.Scanned)
    assert new.scene == old.scene == "shop_12"


# --- The key that makes a repeat known ----------------------------------------------------------


def test_a_message_is_known_by_sender_and_number() -> None:
    assert sample("text").dedup_key == f"{OPENID}:24789654321098765"


def test_an_event_is_known_by_sender_time_name_and_key() -> None:
    assert sample("event_click").dedup_key == f"{OPENID}:1731225700:click:怎么退货"
    assert sample("event_unsubscribe").dedup_key == f"{OPENID}:1731225700:unsubscribe:"


def test_jobs_that_finish_in_one_second_are_two() -> None:
    xml = (PAYLOADS / "event_templatesendjobfinish.xml").read_bytes()
    assert parse(xml).dedup_key != parse(xml.replace(b"200163836", b"200163837")).dedup_key


def test_a_long_key_fits_and_still_tells_two_apart() -> None:
    keys = [
        events.MenuViewed(**event(event_key="https://example.com/" + "x" * 500 + tail)).dedup_key
        for tail in "ab"
    ]
    assert [len(key) for key in keys] == [MAX_DEDUP_KEY, MAX_DEDUP_KEY]
    assert keys[0] != keys[1]
    assert keys[0].startswith(f"{OPENID}:1731225700:view:")


# --- Of no use, but from WeChat -----------------------------------------------------------------

TEXT = (PAYLOADS / "text.xml").read_bytes()
UNKNOWN = ("unsupported_file", "event_unsupported_card_pass_check")


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_kind_is_kept_raw(name: str) -> None:
    incoming = sample(name)
    assert isinstance(incoming, Unsupported)
    assert incoming.raw == (PAYLOADS / f"{name}.xml").read_text(encoding="utf-8")
    assert incoming.openid == OPENID


@pytest.mark.parametrize(
    "xml",
    [
        b"<xml/>",
        b"<xml>hello</xml>",
        TEXT.replace("<![CDATA[鞋子小了能换吗？😀]]>".encode(), b""),
        TEXT.replace("<![CDATA[鞋子小了能换吗？😀]]>".encode(), b"<![CDATA[ \n ]]>"),
        TEXT.replace("<![CDATA[鞋子小了能换吗？😀]]>".encode(), b"<b>nested</b>"),
        TEXT.replace(b"<MsgId>24789654321098765</MsgId>", b""),
        TEXT.replace(b"1731225600", b"yesterday"),
        TEXT.replace(b"1731225600", b"9" * 40),
        TEXT.replace(b"1731225600", b"-5"),
        TEXT.replace(OPENID.encode(), b""),
        TEXT.replace(OPENID.encode(), b"o" * 65),
        TEXT.replace(b"<MsgType><![CDATA[text]]></MsgType>", b""),
        TEXT.replace(b"<![CDATA[text]]>", b"<![CDATA[event]]>"),
        (PAYLOADS / "location.xml").read_bytes().replace(b"23.134521", b"nan"),
        (PAYLOADS / "location.xml").read_bytes().replace(b"23.134521", b"north"),
    ],
)
def test_what_is_of_no_use_is_kept_raw(xml: bytes) -> None:
    incoming = parse(xml)
    assert isinstance(incoming, Unsupported)
    assert incoming.raw == xml.decode()
    assert not incoming.is_message
    assert len(incoming.dedup_key) <= MAX_DEDUP_KEY


def test_useless_pushes_are_told_apart_by_their_text() -> None:
    assert parse(b"<xml/>").dedup_key == parse(b"<xml/>").dedup_key
    assert parse(b"<xml/>").dedup_key != parse(b"<xml></xml>").dedup_key


# --- Hostile input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"hello",
        b"{}",
        b"<xml>",
        b"<xml></XML>",
        b"<xml/><xml/>",
        b"<html><body>502</body></html>",
        b'<!DOCTYPE xml [<!ENTITY a "ha">]><xml><Content>&a;</Content></xml>',
        b"<!DOCTYPE xml [<!ENTITY a SYSTEM "
        b'"file:///etc/passwd">]><xml><Content>&a;</Content></xml>',
        b"<!DOCTYPE xml><xml/>",
        b"<xml><Content>&nbsp;</Content></xml>",
        b"<xml>\xff\xfe</xml>",
        "<xml/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='utf-7'?><xml>+ADw-</xml",
        b"<xml>" + b"<a>" * 30000,
        b"<xml>" + b"<a>" * 9 + b"</a>" * 9 + b"</xml>",
    ],
)
def test_what_is_no_push_is_not_understood(xml: bytes) -> None:
    with pytest.raises(NotUnderstood):
        parse(xml)


def test_invisible_characters_do_not_break_a_message() -> None:
    hidden = "鞋子\x00小了\x0b能\x1f换\x7f吗？😀".encode() + b"\xef\xbf\xbf\xed\xa0\xbd"
    assert parse(TEXT.replace("鞋子小了能换吗？😀".encode(), hidden)) == sample("text")


def test_a_declared_encoding_is_not_believed() -> None:
    assert parse(b"<?xml version='1.0' encoding='utf-16'?>" + TEXT) == sample("text")


def test_the_first_of_two_equal_elements_counts() -> None:
    assert (
        parse(TEXT.replace(b"</xml>", b"<FromUserName>o_other</FromUserName></xml>")).openid
        == OPENID
    )


def test_a_nested_element_does_not_stand_for_one_of_the_push() -> None:
    nested = b"<ScanCodeInfo><FromUserName>o_other</FromUserName></ScanCodeInfo><ToUserName>"
    assert parse(TEXT.replace(b"<ToUserName>", nested, 1)).openid == OPENID


def test_old_samples_spell_the_number_otherwise() -> None:
    assert parse(TEXT.replace(b"MsgId>", b"MsgID>")) == sample("text")


def survives(xml: bytes) -> None:
    """Nothing but an Incoming or NotUnderstood, and an Incoming that can be stored."""
    try:
        incoming = parse(xml)
    except NotUnderstood:
        return
    assert isinstance(incoming, Incoming)
    json.dumps(incoming.stored_fields(), allow_nan=False).encode()
    assert len(incoming.dedup_key) <= MAX_DEDUP_KEY
    assert len(incoming.openid) <= MAX_OPENID
    assert 0 <= incoming.created < 10**10


@given(st.binary(max_size=2000))
@example(b"\xef\xbb\xbf<xml/>")
@example(b"<xml>&#xD800;</xml>")
@example(b"<xml xmlns='a'/>")
def test_any_bytes_are_understood_or_not(xml: bytes) -> None:
    survives(xml)


TAGS = [
    "MsgType",
    "Event",
    "FromUserName",
    "ToUserName",
    "CreateTime",
    "MsgId",
    "Content",
    "EventKey",
    "Location_X",
]
TAGS += [
    "TotalCount",
    "ExpiredTime",
    "SubscribeMsgPopupEvent",
    "SendPicsInfo",
    "List",
    "item",
    "xml",
]
VALUES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "text",
            "EVENT",
            "subscribe",
            "location",
            "masssendjobfinish",
            "1e999",
            "１２",
            "-1",
            " 7 ",
        ]
    ),
    st.integers().map(str),
)
ELEMENTS = st.recursive(
    st.tuples(st.sampled_from(TAGS), VALUES, st.booleans()),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4), st.booleans()),
    max_leaves=12,
)


def written(element: tuple[str, Any, bool]) -> str:
    tag, value, in_section = element
    if isinstance(value, list):
        return f"<{tag}>{''.join(map(written, value))}</{tag}>"
    return f"<{tag}><![CDATA[{value}]]></{tag}>" if in_section else f"<{tag}>{value}</{tag}>"


@settings(max_examples=300)
@given(st.lists(ELEMENTS, max_size=8))
def test_any_elements_are_understood_or_not(elements: list[tuple[str, Any, bool]]) -> None:
    survives(f"<xml>{''.join(map(written, elements))}</xml>".encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(PAYLOADS.glob("*.xml"))), st.data())
def test_a_damaged_sample_is_understood_or_not(path: Path, data: st.DataObject) -> None:
    xml = path.read_bytes()
    start = data.draw(st.integers(0, len(xml)))
    end = data.draw(st.integers(start, min(len(xml), start + 40)))
    survives(xml[:start] + data.draw(st.binary(max_size=20)) + xml[end:])


# --- There and back -----------------------------------------------------------------------------


@settings(max_examples=300)
@given(st.text(min_size=1))
@example("a]]>b")
@example("]]>]]>")
@example("]]")
@example("x]]]]>>")
@example("😀👨‍👩‍👧‍👦\u200b")
@example("\x00a\x1f\ud800b\uffff")
@example("<![CDATA[x]]>")
@example('<a href="https://example.com/?a=1&b=2">看这里</a>')
def test_a_reply_reads_as_it_was_written(text: str) -> None:
    readable = without_control(text).replace("\r\n", "\n").replace("\r", "\n")
    reply = text_reply(to="o_customer", sender="gh_ours", text=text, created=1700000000)
    incoming = parse(f"{reply.removesuffix('</xml>')}<MsgId>1</MsgId></xml>".encode())
    if readable.strip():
        assert isinstance(incoming, IncomingText)
        assert incoming.text == readable
    assert (incoming.openid, incoming.to, incoming.created) == ("gh_ours", "o_customer", 1700000000)
