"""Finding an answer, in the order of `_find`. Sends nothing, and writes nothing but its log and the
answer cache.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from assistant import log, menu, prompt, screening, smalltalk, wishes
from assistant.answers import Answer, Doubt, NeedsModel, Question
from assistant.models import Direction, Source
from assistant.personas import prompt_for
from assistant.shareable import is_shareable
from common.database_threads import database_work
from common.text import Words
from conversations.texts import say_text
from knowledge import cache, matching
from knowledge.matching import Candidate, Match
from knowledge.versions import knowledge_version
from llm import gateway
from llm.errors import ModelsBusy, ModelsDown, NoModel
from llm.turns import ChatTurn, Completion, Tool
from wechat.accounts import namespace

__all__ = ["Answer", "Doubt", "Model", "NeedsModel", "Question", "answer"]

logger = logging.getLogger(__name__)

# How many FAQs a model is shown: the best ones, the right one is nearly always among them.
MOST_CONTEXT_FAQS = 5

NOTHING_TO_SAY = Answer("", Source.NONE)


class Model(Protocol):
    """`llm.gateway.complete`, or a fake of it."""

    def __call__(
        self, turns: Sequence[ChatTurn], *, session_id: str, key: str, tools: Sequence[Tool] = ()
    ) -> Completion: ...


def answer(question: Question, *, model: Model | None) -> Answer:
    """Raises NeedsModel when no model is at hand, one is configured, and
    nothing before it answers.
    """
    started = time.monotonic()
    found = _find(question, model)
    if found != NOTHING_TO_SAY:
        log.keep(question, found, milliseconds=round((time.monotonic() - started) * 1000))
    return found


def surely_needs_model(words: Words, *, whose: str = "") -> bool:
    """Whether only a model can answer these words, whatever was said before them. May be asked
    before anything else: it reads the index and the cache, and no session. False means: perhaps
    not.
    """
    return (
        gateway.is_configured()
        and not menu.may_be_a_choice(words)
        and smalltalk.moment_of(words) is None
        and not screening.blocked_term(words, Direction.IN)
        and not wishes.wants_human(words)
        and matching.match(words).band != "answer"
        and cache.find(words, whose=whose) is None
    )


def _find(question: Question, model: Model | None) -> Answer:
    if question.faq_only:
        return _while_waiting(question)
    if screening.blocked_term(question.words, Direction.IN):
        return _blocked(question)
    if wishes.wants_human(question.words):
        return Answer("", Source.NONE, Doubt.CUSTOMER_ASKED)
    match = matching.match(question.words)
    return (
        _sure_answer(question, match)
        or _small_talk(question)
        or _number_alone(question)
        or _cached(question)
        or _thought_up(question, match, model)
        or _menu_or_nothing(question, match)
    )


def _while_waiting(question: Question) -> Answer:
    """To a customer who waits for a person: only what is surely right, and nothing to one who asks
    for the person.
    """
    if wishes.wants_human(question.words):
        return NOTHING_TO_SAY
    return _sure_answer(question, matching.match(question.words)) or NOTHING_TO_SAY


def _sure_answer(question: Question, match: Match) -> Answer | None:
    """The knowledge base's own words: the choice from a menu, or a match of the answer band."""
    faq_id = menu.chosen(question)
    choice = matching.by_id(faq_id) if faq_id is not None else None
    if choice is not None:
        chosen = Answer(choice.answer, Source.FAQ, faq_id=choice.faq_id, confidence=1.0)
        # The menu is still on the phone: who chose from it may choose again.
        return _screened(question, replace(chosen, offered=question.offered))
    if match.band != "answer":
        return None
    best = match.candidates[0]
    return _screened(
        question, Answer(best.answer, Source.FAQ, faq_id=best.faq_id, confidence=match.confidence)
    )


def _small_talk(question: Question) -> Answer | None:
    moment = smalltalk.moment_of(question.text)
    if moment is None or _answers_our_question(question):
        return None
    source = Source.SYSTEM if moment == "not_understood" else Source.SMALLTALK
    # The menu is still on the phone: a "谢谢" does not end it.
    return Answer(_words(moment, question), source, offered=question.offered)


def _answers_our_question(question: Question) -> bool:
    """ "需要为您查询吗？" "好的", "您买了几件？" "2": for the model, if there is one. Our greeting
    asks nothing so.
    """
    if not question.history or not question.history[-1].rstrip().endswith(("?", "？")):
        return False
    may_be_an_answer = smalltalk.may_answer_the_bot(question.words) or menu.may_be_a_choice(
        question.words
    )
    return (
        may_be_an_answer
        and gateway.is_configured()
        and question.history[-1] != _words("greeting", question)
    )


def _number_alone(question: Question) -> Answer | None:
    """A number that chooses nothing is no question: the customer sees the menu again, or is asked
    for words.
    """
    if not menu.may_be_a_choice(question.words):
        return None
    choices = [
        choice for faq_id in question.offered if (choice := matching.by_id(faq_id)) is not None
    ]
    if choices:
        text = _menu_text(choices, question.account_id, "menu_again")
        return Answer(text, Source.MENU, offered=tuple(choice.faq_id for choice in choices))
    if _answers_our_question(question):
        return None
    if not menu.is_bare_number(question.words) and gateway.is_configured():
        # "第一个", where the model has named several things.
        return None
    return Answer(_words("ask_in_words", question), Source.SYSTEM)


def _cached(question: Question) -> Answer | None:
    if question.history and not is_shareable(question.words):
        return None
    known = cache.find(question.words, whose=namespace(question.account_id))
    return _screened(question, Answer(known.answer, Source.CACHE)) if known is not None else None


def _thought_up(question: Question, match: Match, model: Model | None) -> Answer | None:
    """The model's answer. None: there is no model.

    The suggest band comes here too. A model that reads the very FAQs that a menu would list answers
    at once, where a menu costs the customer another message; without a model the menu is the best
    we have.
    """
    if model is None:
        if gateway.is_configured():
            raise NeedsModel
        return None
    # Before the call: an answer made under the old knowledge must not be kept for the new one.
    version = knowledge_version()
    try:
        completion = model(
            _turns(question, match),
            session_id=question.session_id,
            key=question.key,
            tools=[prompt.REPLY],
        )
    except NoModel:
        return None
    except ModelsBusy:
        return Answer("", Source.MODEL, Doubt.MODEL_BUSY)
    except ModelsDown:
        return Answer("", Source.MODEL, Doubt.MODEL_DOWN)
    read = prompt.read(completion)
    if not read.text:
        return Answer("", Source.MODEL, Doubt.MODEL_UNSURE)
    found = _screened(question, Answer(read.text, Source.MODEL))
    is_for_all = read.is_structured and not question.history and is_shareable(question.words)
    if found.source == Source.MODEL and is_for_all:
        whose = namespace(question.account_id)
        cache.keep(
            question.words,
            found.text,
            model_name=completion.model_name,
            knowledge_version=version,
            whose=whose,
        )
    return found


def _turns(question: Question, match: Match) -> list[ChatTurn]:
    return prompt.turns_for(
        question.text,
        persona=prompt_for(question.account_id),
        candidates=match.candidates[:MOST_CONTEXT_FAQS],
        history=question.history,
    )


def _menu_or_nothing(question: Question, match: Match) -> Answer:
    choices = match.candidates[: menu.MOST_CHOICES]
    offered = tuple(one.faq_id for one in choices)
    # Who was shown these very questions just now, and asks on, did not mean any of them.
    was_shown_these = menu.was_shown(question.history[-1:]) and set(offered) <= set(
        question.offered
    )
    if match.band != "suggest" or was_shown_these:
        return Answer("", Source.NONE, Doubt.NOTHING_MATCHED, confidence=match.confidence)
    text = _menu_text(choices, question.account_id, "menu")
    return Answer(text, Source.MENU, offered=offered, confidence=match.confidence)


def _screened(question: Question, found: Answer) -> Answer:
    """Blocked words do not go out, whoever wrote them."""
    term = screening.blocked_term(Words(found.text), Direction.OUT)
    if term is None:
        return found
    logger.info(
        "answer from %s held back in conversation %s: it holds a blocked word",
        found.source,
        question.conversation_id,
    )
    return replace(_blocked(question), faq_id=found.faq_id)


def _blocked(question: Question) -> Answer:
    return Answer(_words("blocked", question), Source.BLOCKED)


@database_work
def _words(moment: str, question: Question) -> str:
    return say_text(moment, question.account_id)


@database_work
def _menu_text(candidates: Sequence[Candidate], account_id: int, moment: str) -> str:
    return menu.menu_text(candidates, account_id, moment=moment)
