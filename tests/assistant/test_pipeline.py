from __future__ import annotations

import re

import pytest

from assistant.answers import Doubt
from assistant.models import AnswerLog, BlockedTerm, Direction, Persona, Source
from assistant.pipeline import NeedsModel
from assistant.prompt import REPLY
from common.fresh import forget_all
from common.text import Words
from knowledge import cache
from knowledge.models import FAQ, CachedAnswer
from knowledge.versions import knowledge_version
from llm.errors import ModelsBusy, ModelsDown, NoModel
from tests.assistant.asking import Ask, NeedsIt
from tests.counting import counted
from tests.faqs import INVOICE, RETURNS
from tests.worlds.model_stub import ModelStub, Scripted
from wechat.models import OfficialAccount

pytestmark = pytest.mark.usefixtures("no_model_is_configured")

# A question that none of the shop's FAQs comes near.
UNKNOWN = "你们公司的老板属什么生肖"
# One that could mean an FAQ, without being sure.
VAGUE = "退货申请在哪里"


def yes(text: str) -> dict[str, object]:
    return {"answer": text, "can_answer": True}


def test_it_answers_from_the_faq_without_asking_the_model(shop: dict[str, FAQ], ask: Ask) -> None:
    model = ModelStub()
    answer = ask("怎么申请退货？", model=model)
    assert (answer.text, answer.source, answer.faq_id) == (
        RETURNS[1],
        Source.FAQ,
        shop[RETURNS[0]].pk,
    )
    assert answer.doubt is None
    assert not model.asked


def test_it_hears_the_wish_for_a_human_before_anything_else(shop: dict[str, FAQ], ask: Ask) -> None:
    FAQ.objects.create(question="转人工", answer="请拨打电话。")
    answer = ask("转人工", model=ModelStub())
    assert (answer.text, answer.doubt) == ("", Doubt.CUSTOMER_ASKED)


def test_it_refuses_blocked_words_before_it_hears_a_wish(
    account: OfficialAccount, ask: Ask
) -> None:
    BlockedTerm.objects.create(term="人工", direction=Direction.IN)
    answer = ask("转人工", model=ModelStub())
    assert answer.source == Source.BLOCKED
    assert "不便回答" in answer.text
    assert answer.doubt is None


def test_it_greets_and_never_makes_a_ticket_of_it(shop: dict[str, FAQ], ask: Ask) -> None:
    for text in ("你好", "谢谢", "再见"):
        answer = ask(text)
        assert answer.text
        assert (answer.source, answer.doubt) == (Source.SMALLTALK, None)


def test_it_prefers_an_editors_faq_to_its_own_greeting(shop: dict[str, FAQ], ask: Ask) -> None:
    FAQ.objects.create(question="你好", answer="您好，小店为您服务。")
    assert ask("你好").text == "您好，小店为您服务。"


def test_it_asks_the_model_when_ok_answers_its_own_question(
    shop: dict[str, FAQ], ask: Ask, model_is_configured: None
) -> None:
    model = ModelStub(yes("已为您说明。"))
    assert (
        ask("好的", model=model, history=("怎么换货", "需要我说明步骤吗？")).text == "已为您说明。"
    )
    assert ask("好的", model=model, history=("怎么换货", "7 天内可换。")).source == Source.SMALLTALK


def test_it_answers_words_without_a_word_kindly(account: OfficialAccount, ask: Ask) -> None:
    answer = ask("？？？")
    assert (answer.source, answer.doubt) == (Source.SYSTEM, None)
    assert answer.text


class TestTheMenu:
    def offer(self, ask: Ask, shop: dict[str, FAQ]) -> tuple[int, ...]:
        answer = ask(VAGUE)
        assert answer.source == Source.MENU
        assert f"1. {RETURNS[0]}" in answer.text
        return answer.offered

    def test_it_offers_what_the_customer_may_have_meant_when_there_is_no_model(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        offered = self.offer(ask, shop)
        assert offered[0] == shop[RETURNS[0]].pk
        assert len(offered) <= 3

    @pytest.mark.parametrize("choice", ["1", "１", "①", "1.", "第一个", "选1", "第1个"])
    def test_it_takes_the_digit_for_the_question_it_stands_for(
        self, shop: dict[str, FAQ], ask: Ask, choice: str
    ) -> None:
        answer = ask(choice, offered=(shop[RETURNS[0]].pk, shop[INVOICE[0]].pk))
        assert (answer.text, answer.source) == (RETURNS[1], Source.FAQ)

    def test_who_chose_from_a_menu_may_choose_again(self, shop: dict[str, FAQ], ask: Ask) -> None:
        offered = (shop[RETURNS[0]].pk, shop[INVOICE[0]].pk)
        first = ask("2", offered=offered)
        assert first.text == INVOICE[1]
        assert ask("1", offered=first.offered).text == RETURNS[1]

    def test_it_takes_a_tap_for_the_question_in_the_link_whatever_was_offered_since(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        older = re.findall(r"msgmenuid=([\w-]+)", ask(VAGUE).text)[0]
        assert ask("1", tapped=older).text == RETURNS[1]
        assert ask("1", tapped=older, offered=(shop[INVOICE[0]].pk,)).text == RETURNS[1]

    @pytest.mark.parametrize(
        "tapped", ["0", "wechatbot-choice-", "wechatbot-choice-x", "someone-elses-menu"]
    )
    def test_a_link_that_names_no_question_goes_by_its_number(
        self, shop: dict[str, FAQ], ask: Ask, tapped: str
    ) -> None:
        assert ask("1", tapped=tapped, offered=(shop[INVOICE[0]].pk,)).text == INVOICE[1]

    def test_thanks_do_not_end_it(self, shop: dict[str, FAQ], ask: Ask) -> None:
        offered = (shop[RETURNS[0]].pk, shop[INVOICE[0]].pk)
        assert ask("谢谢", offered=offered).offered == offered

    def test_it_leaves_to_a_person_who_was_offered_the_same_questions_in_vain(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        menu = ask(VAGUE)
        again = ask(VAGUE + "呢", offered=menu.offered, history=(VAGUE, menu.text))
        assert again.doubt == Doubt.NOTHING_MATCHED

    def test_it_is_offered_again_to_who_chose_from_it_meanwhile(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        menu = ask(VAGUE)
        history = (VAGUE, menu.text, "1", RETURNS[1])
        again = ask(VAGUE, offered=menu.offered, history=history)
        assert (again.source, again.offered) == (Source.MENU, menu.offered)

    def test_it_is_offered_to_who_was_only_welcomed_with_the_same_questions(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        welcomed_with = tuple(faq.pk for faq in shop.values())
        assert ask(VAGUE, offered=welcomed_with).source == Source.MENU

    def test_it_asks_the_model_instead_when_there_is_one(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        model = ModelStub(yes("在订单页申请退货就行。"))
        answer = ask(VAGUE, model=model)
        assert (answer.text, answer.source) == ("在订单页申请退货就行。", Source.MODEL)
        assert RETURNS[1] in model.prompt

    def test_it_offers_the_menu_when_the_model_was_switched_off_meanwhile(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        assert ask(VAGUE, model=ModelStub(NoModel())).source == Source.MENU


class TestANumberThatChoosesNothing:
    @pytest.mark.parametrize("text", ["9", "0", "3", "12", "９", "⑨", "3.", "零", "选9", "第九个"])
    def test_it_is_shown_the_menu_again(self, shop: dict[str, FAQ], ask: Ask, text: str) -> None:
        offered = (shop[RETURNS[0]].pk, shop[INVOICE[0]].pk)
        model = ModelStub()
        answer = ask(text, offered=offered, model=model)
        assert (answer.source, answer.doubt, answer.offered) == (Source.MENU, None, offered)
        assert answer.text.startswith("请从下面选一个：")
        assert f"1. {RETURNS[0]}" in answer.text
        assert f"2. {INVOICE[0]}" in answer.text
        assert not model.asked

    @pytest.mark.parametrize("text", ["9", "1", "42", "三", "第一个"])
    def test_it_is_asked_for_words_where_no_menu_was(
        self, shop: dict[str, FAQ], ask: Ask, text: str
    ) -> None:
        answer = ask(text)
        assert (answer.source, answer.doubt) == (Source.SYSTEM, None)
        assert answer.text == "请用一句话告诉我您想问什么，我来为您查询。需要人工请回复「转人工」。"

    @pytest.mark.parametrize("text", ["9", "42", "三"])
    def test_no_model_is_asked(
        self,
        shop: dict[str, FAQ],
        ask: Ask,
        surely_needs_model: NeedsIt,
        model_is_configured: None,
        text: str,
    ) -> None:
        assert ask(text).source == Source.SYSTEM
        assert not surely_needs_model(text)

    @pytest.mark.parametrize("text", ["400", "20261122001", "13800138000", "9 折"])
    def test_a_longer_one_is_a_question(
        self, shop: dict[str, FAQ], ask: Ask, model_is_configured: None, text: str
    ) -> None:
        with pytest.raises(NeedsModel):
            ask(text, offered=(shop[RETURNS[0]].pk,))

    def test_it_is_an_answer_when_the_model_has_just_asked(
        self, shop: dict[str, FAQ], ask: Ask, model_is_configured: None
    ) -> None:
        model = ModelStub(yes("两件可以一起退。"))
        assert (
            ask("2", model=model, history=("买多了", "请问您买了几件？")).text == "两件可以一起退。"
        )

    def test_our_greeting_has_asked_for_no_number(
        self, shop: dict[str, FAQ], ask: Ask, model_is_configured: None
    ) -> None:
        assert ask("2", history=("你好", ask("你好").text)).source == Source.SYSTEM

    def test_the_menu_leaves_out_what_was_switched_off_since(
        self, shop: dict[str, FAQ], ask: Ask
    ) -> None:
        gone, left = shop[RETURNS[0]], shop[INVOICE[0]]
        FAQ.objects.filter(pk=gone.pk).update(enabled=False)
        answer = ask("1", offered=(gone.pk, left.pk))
        assert (answer.source, answer.offered) == (Source.MENU, (left.pk,))
        assert f"1. {INVOICE[0]}" in answer.text
        assert ask("1", offered=(gone.pk,)).source == Source.SYSTEM

    def test_an_editors_faq_may_mean_it(self, shop: dict[str, FAQ], ask: Ask) -> None:
        FAQ.objects.create(question="9", answer="九号柜台在二楼。")
        assert ask("9").text == "九号柜台在二楼。"


class TestTheModel:
    def test_it_needs_one_when_nothing_before_answers(
        self, shop: dict[str, FAQ], ask: Ask, model_is_configured: None
    ) -> None:
        with pytest.raises(NeedsModel):
            ask(UNKNOWN)
        assert not AnswerLog.objects.exists()

    def test_it_is_told_who_it_is_and_what_was_said(
        self, shop: dict[str, FAQ], account: OfficialAccount, ask: Ask
    ) -> None:
        Persona.objects.create(account=account, prompt="你是{name}的老店员。{不是变量}")
        model = ModelStub(yes("好。"))
        ask(UNKNOWN, model=model, history=("发票怎么开", "下单时勾选。"))
        assert "你是小店的老店员。{不是变量}" in model.prompt
        assert "下单时勾选。" in model.prompt
        assert model.session_ids == ["s1"]
        assert model.tools == [[REPLY]]

    def test_it_has_a_good_default_persona(self, account: OfficialAccount, ask: Ask) -> None:
        model = ModelStub(yes("好。"))
        ask(UNKNOWN, model=model)
        assert "你是「小店」的在线客服" in model.prompt

    def test_it_is_taken_at_its_word_when_it_answers_in_plain_text(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        assert ask(UNKNOWN, model=ModelStub("**属虎**。")).text == "属虎。"

    @pytest.mark.parametrize(
        ("said", "doubt"),
        [
            ({"answer": "不知道", "can_answer": False}, Doubt.MODEL_UNSURE),
            (ModelsBusy(), Doubt.MODEL_BUSY),
            (ModelsDown(), Doubt.MODEL_DOWN),
            (NoModel(), Doubt.NOTHING_MATCHED),
        ],
    )
    def test_it_leaves_the_question_to_a_person_when_the_model_does_not_answer(
        self, account: OfficialAccount, ask: Ask, said: Scripted, doubt: Doubt
    ) -> None:
        answer = ask(UNKNOWN, model=ModelStub(said))
        assert (answer.text, answer.doubt) == ("", doubt)

    def test_it_is_not_allowed_blocked_words(self, account: OfficialAccount, ask: Ask) -> None:
        BlockedTerm.objects.create(term="竞品", direction=Direction.OUT)
        answer = ask(UNKNOWN, model=ModelStub(yes("竞品更好。")))
        assert answer.source == Source.BLOCKED
        assert "竞品" not in answer.text
        assert not CachedAnswer.objects.exists()


class TestTheCache:
    def test_it_gives_the_kept_answer_to_the_next_customer(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        model = ModelStub(yes("属虎。"))
        ask(UNKNOWN, model=model)
        answer = ask(UNKNOWN + "？", model=model)
        assert (answer.text, answer.source) == ("属虎。", Source.CACHE)
        assert len(model.asked) == 1

    def test_it_keeps_no_answer_that_came_outside_the_structure(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        apology = "抱歉，我暂时无法回答这个问题。"
        assert ask(UNKNOWN, model=ModelStub(apology)).text == apology
        assert ask(UNKNOWN, model=ModelStub(yes("属虎。"))).text == "属虎。"

    def test_it_gives_an_edited_answer_as_it_was_edited(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        ask(UNKNOWN, model=ModelStub(yes("属虎。")))
        CachedAnswer.objects.update(answer="属龙。", pinned=True)
        assert ask(UNKNOWN).text == "属龙。"

    def test_it_forgets_what_was_answered_under_older_knowledge(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        cache.keep(Words(UNKNOWN), "旧答案", model_name="fake", knowledge_version="older")
        assert ask(UNKNOWN, model=ModelStub(yes("新答案"))).text == "新答案"

    def test_it_keeps_an_answer_under_the_knowledge_the_model_was_shown(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        shown = knowledge_version()
        ask(UNKNOWN, model=ModelStub(yes("属虎。")))
        assert CachedAnswer.objects.get().knowledge_version == shown

    @pytest.mark.parametrize(
        ("text", "history"),
        [
            (UNKNOWN, ("你好", "您好")),
            ("那多久能到呢请问", ()),
            ("订单 2026112200 到哪里了", ()),
            ("我叫王小明可以改名吗", ()),
            ("好吃吗", ()),
        ],
    )
    def test_it_keeps_nothing_that_belongs_to_one_customer_or_one_talk(
        self, account: OfficialAccount, ask: Ask, text: str, history: tuple[str, ...]
    ) -> None:
        assert ask(text, model=ModelStub(yes("是这样。")), history=history).text == "是这样。"
        assert not CachedAnswer.objects.exists()

    def test_it_gives_no_kept_answer_to_words_that_point_back(
        self, account: OfficialAccount, ask: Ask
    ) -> None:
        cache.keep(
            Words("那多久呢"), "三天。", model_name="fake", knowledge_version=knowledge_version()
        )
        answer = ask("那多久呢", model=ModelStub(yes("五天。")), history=("换货", "可以换。"))
        assert answer.text == "五天。"


class TestWhileTheCustomerWaitsForAPerson:
    def test_it_still_gives_sure_answers(self, shop: dict[str, FAQ], ask: Ask) -> None:
        assert ask("怎么申请退货", faq_only=True).source == Source.FAQ

    @pytest.mark.parametrize("text", [UNKNOWN, VAGUE, "你好", "转人工"])
    def test_it_says_nothing_else(
        self, shop: dict[str, FAQ], ask: Ask, model_is_configured: None, text: str
    ) -> None:
        answer = ask(text, faq_only=True)
        assert (answer.text, answer.source, answer.doubt) == ("", Source.NONE, None)
        assert not AnswerLog.objects.exists()


class TestTheLog:
    def test_it_tells_how_a_question_was_answered(self, shop: dict[str, FAQ], ask: Ask) -> None:
        ask("怎么申请退货")
        ask(UNKNOWN)
        second, first = AnswerLog.objects.order_by("-pk")
        assert (first.source, first.faq_id, first.answer) == (
            Source.FAQ,
            shop[RETURNS[0]].pk,
            RETURNS[1],
        )
        assert first.confidence is not None
        assert first.milliseconds is not None
        assert (second.source, second.doubt, second.answer) == (
            Source.NONE,
            Doubt.NOTHING_MATCHED,
            "",
        )

    def test_it_loses_no_answer_when_it_cannot_be_written(
        self, shop: dict[str, FAQ], ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(AnswerLog._meta.get_field("question"), "column", "no_such_column")
        assert ask("怎么申请退货").text == RETURNS[1]
        monkeypatch.undo()
        assert not AnswerLog.objects.exists()


def test_it_answers_with_an_faq_that_holds_a_blocked_word_by_a_polite_refusal(
    shop: dict[str, FAQ], ask: Ask
) -> None:
    BlockedTerm.objects.create(term="订单页", direction=Direction.OUT)
    answer = ask("怎么申请退货")
    assert answer.source == Source.BLOCKED
    assert answer.faq_id == shop[RETURNS[0]].pk


def test_another_account_is_not_given_the_answer_of_the_first(
    account: OfficialAccount, ask: Ask
) -> None:
    """Its persona may say something else."""
    ask(UNKNOWN, model=ModelStub(yes("属虎。")))
    other = OfficialAccount.objects.create(
        slug="other", name="二店", app_id="wx0987654321", token="abcdef"
    )
    forget_all()

    ask_the_other = Ask(other)
    assert ask_the_other(UNKNOWN, model=ModelStub(yes("属龙。"))).text == "属龙。"
    assert ask_the_other(UNKNOWN, model=ModelStub()).text == "属龙。"
    assert ask(UNKNOWN).text == "属虎。"


def test_answers_are_counted_by_their_source(shop: dict[str, FAQ], ask: Ask) -> None:
    by_faq, by_nobody = (
        {"source": "faq", "doubt": ""},
        {"source": "none", "doubt": "nothing_matched"},
    )
    before = counted("answers_total", **by_faq), counted("answers_total", **by_nobody)
    ask("怎么申请退货")
    ask(UNKNOWN)
    after = counted("answers_total", **by_faq), counted("answers_total", **by_nobody)
    assert after == (before[0] + 1, before[1] + 1)
