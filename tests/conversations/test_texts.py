"""The bot's words: defaults, an account's own, and what an editor may write."""

from __future__ import annotations

import re

import pytest
from django.test import override_settings
from django.utils.translation import override

from common.text import Words
from conversations import texts
from conversations.admin.bot_texts import BotTextForm
from conversations.models import BotText
from conversations.moments import MORE, THINKING
from conversations.replies.links import (
    LOOK_WORDS,
    asks_to_look,
    is_tap,
    look_link,
)
from conversations.replies.parts import MESSAGE_BYTES, PART_BYTES, byte_length
from conversations.replies.wording import in_words
from conversations.saying import LookLink, Saying, registered
from conversations.texts import default_text, has_place_for, names_in, own_words
from tests.clock import Clock
from tests.factories import AccountFactory
from wechat.models import OfficialAccount
from wechat.replies import without_links

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> OfficialAccount:
    return AccountFactory()


def own(account: OfficialAccount, moment: str, text: str) -> None:
    BotText.objects.create(account=account, moment=moment, text=text)
    own_words.changed()


# Emoji, and the marks and words that the bot does not use; "你" is not "您".
SENTENCES = [moment for moment in registered() if not moment.endswith(("_link", "_words"))]
NOT_OUR_VOICE = re.compile("[!！~～😀-🙏🌀-🗿☀-➿]|亲(?!自)|AI|你")


@pytest.mark.parametrize("moment", registered())
def test_it_is_polite_and_plain(moment: str) -> None:
    assert not NOT_OUR_VOICE.search(texts.default_text(moment))


@pytest.mark.parametrize("moment", SENTENCES)
def test_it_ends_its_sentences(moment: str) -> None:
    assert texts.default_text(moment).endswith(("。", "？", "）"))


def form(account: OfficialAccount, moment: str, text: str) -> BotTextForm:
    return BotTextForm({"account": account.pk, "moment": moment, "text": text})


def test_it_says_the_default(account: OfficialAccount) -> None:
    assert in_words(Saying("greeting"), account.pk) == "您好，请问有什么可以帮您？"


def test_it_speaks_the_installations_language_whatever_page_is_shown(
    account: OfficialAccount,
) -> None:
    with override("en"):
        assert in_words(Saying("greeting"), account.pk) == "您好，请问有什么可以帮您？"


def test_an_account_may_have_its_own_words(account: OfficialAccount) -> None:
    own(account, "unknown", "这个我得问问同事，单号 {number}。")
    assert (
        in_words(Saying("unknown", number="20261122-0001"), account.pk)
        == "这个我得问问同事，单号 20261122-0001。"
    )
    unknown = Saying("unknown", number="1")
    assert in_words(unknown, AccountFactory().pk) != in_words(unknown, account.pk)


@pytest.mark.parametrize("text", ["{nobody}", "{", "{0}", "{number.secret}", "{number!x}"])
def test_words_that_cannot_be_filled_fall_back_to_the_default(
    account: OfficialAccount, text: str
) -> None:
    own(account, "handover_waiting", text)
    assert in_words(Saying("handover_waiting", number="0001"), account.pk).startswith(
        "您的问题已记录（编号 0001）"
    )


def test_a_change_is_heard_when_the_words_are_read_again(
    account: OfficialAccount, clock: Clock
) -> None:
    own(account, "greeting", "您好呀")
    assert in_words(Saying("greeting"), account.pk) == "您好呀"
    BotText.objects.update(text="欢迎光临")
    assert in_words(Saying("greeting"), account.pk) == "您好呀"
    clock.now += texts.FRESH_SECONDS
    assert in_words(Saying("greeting"), account.pk) == "欢迎光临"


@override_settings(LANGUAGE_CODE="zh-hans")
@pytest.mark.parametrize("moment", registered())
def test_an_editor_may_keep_every_default(account: OfficialAccount, moment: str) -> None:
    assert form(account, moment, texts.default_text(moment)).is_valid()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("unknown", "编号 {numbre}"),
        ("unknown", "编号 {number"),
        ("greeting", "您好 {name}"),
        ("more", "还有更多内容没有显示完，" * 3 + "{link}"),
        ("more_link", "点这里可以继续往下看后面的内容"),
        ("look_words", "{link}，如果点不开就在这里打字回复「{words}」"),
        ("look_words", "或回复「{words}」"),
        ("too_many", "慢" * 501),
    ],
)
def test_an_editor_hears_at_once_what_would_not_work(
    account: OfficialAccount, moment: str, text: str
) -> None:
    assert "text" in form(account, moment, text).errors


def test_the_longest_words_that_an_editor_may_write_fit_behind_a_full_part() -> None:
    words = ("字" * 13 + "{link}{words}").format(link=look_link("字" * 12), words=LOOK_WORDS)
    tail = ("字" * 24 + "{link}").format(link=words)
    assert PART_BYTES + 2 + byte_length(tail) <= MESSAGE_BYTES


def test_it_knows_which_values_an_accounts_words_show(account: OfficialAccount) -> None:
    assert has_place_for("choices", "follow", account.pk)
    own(account, "follow", "欢迎来到{name}。")
    assert not has_place_for("choices", "follow", account.pk)
    assert has_place_for("name", "follow", account.pk)


@pytest.mark.parametrize(
    ("label", "words"), [("点这里查看", "查看回复"), ("→ tap to read", "View%20reply")]
)
def test_a_tap_speaks_the_language_of_its_link(label: str, words: str) -> None:
    assert f"msgmenucontent={words}&" in look_link(label)


@pytest.mark.parametrize(
    "text", ["查看回复", "View reply", "查看", "下一页", "继续", " 查看回复。", "More", "查看回覆"]
)
def test_it_knows_the_words_of_a_tap_when_they_are_typed(text: str) -> None:
    assert asks_to_look(Words(text))


@pytest.mark.parametrize("text", ["查看回复在哪里", "怎么退货", "", "继续退货"])
def test_it_takes_no_question_for_a_tap(text: str) -> None:
    assert not asks_to_look(Words(text))


def test_it_knows_a_tap_by_its_id_whatever_its_words() -> None:
    assert asks_to_look(Words("任何文字"), "wechatbot-look")
    assert is_tap(Words("任何文字"), "wechatbot-look")


def test_only_the_words_of_the_link_itself_are_surely_a_tap() -> None:
    assert is_tap(Words("查看回复"), "0")
    assert is_tap(Words("view reply"))
    assert not is_tap(Words("继续"))


class TestTheWordsBesideALink:
    """WeChat on a computer shows a tap link, but cannot tap it."""

    LINKED = [
        ("thinking", "thinking_link"),
        ("more", "more_link"),
        ("handover_look", "agent_receipt_link"),
        ("agent_receipt", "agent_receipt_link"),
    ]

    def test_these_are_all_texts_with_a_link(self) -> None:
        with_link = {moment for moment in registered() if "link" in names_in(default_text(moment))}
        assert with_link == {"look_words"} | {moment for moment, _label in self.LINKED}

    @pytest.mark.parametrize(("moment", "label"), LINKED)
    def test_they_are_what_fetches_when_it_is_typed(
        self, account: OfficialAccount, moment: str, label: str
    ) -> None:
        text = in_words(Saying(moment, link=LookLink(label)), account.pk)
        assert "msgmenuid=wechatbot-look" in text
        (words,) = re.findall("，或回复「(.+?)」", without_links(text))
        assert words == "查看回复"
        assert asks_to_look(Words(words))
        assert asks_to_look(Words(f"「{words}」"))

    @override_settings(LANGUAGE_CODE="en")
    @pytest.mark.parametrize(("moment", "label"), LINKED)
    def test_they_are_english_where_the_link_is(
        self, account: OfficialAccount, moment: str, label: str
    ) -> None:
        text = without_links(in_words(Saying(moment, link=LookLink(label)), account.pk))
        (words,) = re.findall("reply “(.+?)”", text)
        assert words == "View reply"
        assert asks_to_look(Words(words))

    def test_they_stand_in_an_editors_own_words_too(self, account: OfficialAccount) -> None:
        own(account, "thinking", "稍等哦，{link}，谢谢。")
        own(account, "thinking_link", "点我")
        text = without_links(in_words(THINKING, account.pk))
        assert text == "稍等哦，点我，或回复「查看回复」，谢谢。"

    def test_an_editor_who_tells_what_to_type_is_not_repeated(
        self, account: OfficialAccount
    ) -> None:
        own(account, "thinking", "稍等，{link}。电脑上请打「查看回复」。")
        text = without_links(in_words(THINKING, account.pk))
        assert text == "稍等，点这里查看回答。电脑上请打「查看回复」。"

    def test_an_editor_may_say_it_otherwise(self, account: OfficialAccount) -> None:
        own(account, "look_words", "{link}（或打字：{words}）")
        text = without_links(in_words(MORE, account.pk))
        assert text == "（未完，点这里看下一页（或打字：查看回复））"


ENDLESS = [
    "编号 {number:>999999}",
    "编号 {number!r:>999999}",
    "编号 {number:{number}}",
    "编号 {number!s}",
]


@pytest.mark.parametrize("text", ENDLESS)
def test_an_editor_cannot_ask_for_a_million_spaces(account: OfficialAccount, text: str) -> None:
    form = BotTextForm({"account": account.pk, "moment": "unknown", "text": text})
    assert not form.is_valid()
    assert "text" in form.errors


@pytest.mark.parametrize("text", ENDLESS)
def test_a_row_that_asks_for_them_is_not_said(account: OfficialAccount, text: str) -> None:
    own(account, "unknown", text)
    default = in_words(Saying("unknown", number="2000"), AccountFactory().pk)
    assert in_words(Saying("unknown", number="2000"), account.pk) == default
