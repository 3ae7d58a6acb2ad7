"""What a kind of push is, is said once: beside its dataclass."""

from __future__ import annotations

from dataclasses import fields

import pytest
from django.utils import translation

from tests.samples import NAMES, sample
from wechat.incoming import KINDS, Incoming, Unsupported
from wechat.kinds import BY_CODE, is_event, kind_of, label_of
from wechat.traits import Expects, Line, Opens, Speech

every_kind = pytest.mark.parametrize("code", BY_CODE)
every_sample = pytest.mark.parametrize("name", NAMES)


def test_every_class_that_the_parser_knows_has_a_code_of_its_own() -> None:
    assert set(BY_CODE.values()) == {*KINDS.values(), Unsupported}
    assert len(BY_CODE) == len(KINDS) + 1


@every_kind
def test_there_is_a_sample_of_the_kind(code: str) -> None:
    assert code in {sample(name).kind for name in NAMES}


@every_sample
def test_a_sample_is_of_a_known_kind(name: str) -> None:
    push = sample(name)
    assert BY_CODE[push.kind] is type(push)


@every_kind
def test_the_kind_has_a_label_in_both_languages(code: str) -> None:
    with translation.override("zh-hans"):
        chinese = label_of(code)
    with translation.override("en"):
        english = label_of(code)
    assert not chinese.isascii()
    assert english
    assert english != chinese


@every_kind
def test_a_push_that_expects_an_answer_opens_a_window(code: str) -> None:
    """Without a window an answer past WeChat's five seconds would never be sent."""
    traits = BY_CODE[code].traits
    if traits.expects is Expects.ANSWER:
        assert traits.opens in (Opens.MESSAGE_WINDOW, Opens.EVENT_WINDOW)


@every_kind
def test_its_look_in_a_thread_names_fields_that_it_has(code: str) -> None:
    kind = BY_CODE[code]
    assert named_by(kind) <= {one.name for one in fields(kind)}


def named_by(kind: type[Incoming]) -> set[str]:
    look = kind.traits.look
    if isinstance(look, Speech):
        return {*look.shows, look.picture} - {""}
    return {look.needs} - {""} if isinstance(look, Line) else set()


# What the kinds are that the product began with. A new kind need not stand here.
ANSWERED_MESSAGE = (Expects.ANSWER, Opens.MESSAGE_WINDOW, True)
RECORDED_EVENT = (Expects.RECORD, Opens.EVENT_WINDOW, False)
OTHER_EVENT = (Expects.NOTHING, Opens.NO_WINDOW, False)
KNOWN = {
    "text": ANSWERED_MESSAGE,
    "image": ANSWERED_MESSAGE,
    "voice": ANSWERED_MESSAGE,
    "video": ANSWERED_MESSAGE,
    "shortvideo": ANSWERED_MESSAGE,
    "location": ANSWERED_MESSAGE,
    "link": ANSWERED_MESSAGE,
    "miniprogrampage": ANSWERED_MESSAGE,
    "unsupported": (Expects.NOTHING, Opens.MESSAGE_WINDOW, True),
    "event.subscribe": (Expects.ANSWER, Opens.EVENT_WINDOW, False),
    "event.unsubscribe": (Expects.RECORD, Opens.NO_WINDOW_ANY_MORE, False),
    "event.scan": RECORDED_EVENT,
    "event.location": OTHER_EVENT,
    "event.click": (Expects.ANSWER, Opens.EVENT_WINDOW, True),
    "event.view": OTHER_EVENT,
    "event.view_miniprogram": OTHER_EVENT,
    "event.scancode_push": RECORDED_EVENT,
    "event.scancode_waitmsg": RECORDED_EVENT,
    "event.pic_sysphoto": OTHER_EVENT,
    "event.pic_photo_or_album": OTHER_EVENT,
    "event.pic_weixin": OTHER_EVENT,
    "event.location_select": OTHER_EVENT,
    "event.templatesendjobfinish": OTHER_EVENT,
    "event.masssendjobfinish": OTHER_EVENT,
    "event.subscribe_msg_popup_event": OTHER_EVENT,
    "event.subscribe_msg_change_event": OTHER_EVENT,
    "event.subscribe_msg_sent_event": OTHER_EVENT,
    "event.kf_create_session": OTHER_EVENT,
    "event.kf_close_session": OTHER_EVENT,
    "event.kf_switch_session": OTHER_EVENT,
    "event.qualification_verified": OTHER_EVENT,
    "event.qualification_refused": OTHER_EVENT,
    "event.naming_verified": OTHER_EVENT,
    "event.naming_refused": OTHER_EVENT,
    "event.annual_renew": OTHER_EVENT,
    "event.verify_expired": OTHER_EVENT,
}


@pytest.mark.parametrize("code", KNOWN)
def test_a_known_kind_stays_what_it_is(code: str) -> None:
    traits = BY_CODE[code].traits
    assert (traits.expects, traits.opens, traits.is_counted) == KNOWN[code]


@every_kind
def test_what_is_answered_as_a_message_is_one(code: str) -> None:
    """It counts against the limit, opens the long window and is a bubble of the customer's."""
    kind = BY_CODE[code]
    assert kind.is_message == (kind.traits.expects is Expects.ANSWER and not is_event(code))
    if kind.is_message:
        expects, opens, is_counted = ANSWERED_MESSAGE
        assert (kind.traits.expects, kind.traits.opens) == (expects, opens)
        assert kind.traits.is_counted == is_counted
    is_bubble = isinstance(kind.traits.look, Speech)
    assert is_bubble == (not is_event(code))


def test_a_tap_on_an_option_opens_the_short_window_although_it_comes_as_text() -> None:
    assert sample("text").opens is Opens.MESSAGE_WINDOW
    assert sample("text_menu").opens is Opens.EVENT_WINDOW


@pytest.mark.parametrize(
    ("code", "opens"),
    [("event.of_tomorrow", Opens.NO_WINDOW), ("message_of_tomorrow", Opens.MESSAGE_WINDOW)],
)
def test_a_kind_of_a_newer_version_is_no_error(code: str, opens: Opens) -> None:
    assert kind_of(code).traits.opens is opens
