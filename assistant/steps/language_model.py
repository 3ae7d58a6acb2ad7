"""The model's answer, which is kept for the next customer where it can serve all.

The suggest band comes here too. A model that reads the very FAQs that a menu would list answers at
once, where a menu costs the customer another message; without a model the menu is the best we have.
"""

from __future__ import annotations

from assistant import prompt
from assistant.answers import Answer, Doubt, Model, NeedsModel, Question
from assistant.models import Direction, Source
from assistant.personas import prompt_for
from assistant.prompt import ModelAnswer
from assistant.screening import blocked_term
from assistant.shareable import is_shareable
from assistant.steps.step import Step
from common.text import Words
from knowledge import cache
from knowledge.evidence import Evidence
from knowledge.retrieval import matching
from knowledge.versions import knowledge_version
from llm import gateway
from llm.errors import ModelsBusy, ModelsDown, NoModel
from llm.turns import Completion
from wechat.accounts import namespace

# How many pieces a model is shown: the best ones, the right one is nearly always among them.
MOST_EVIDENCE = 5


def answer(question: Question) -> Answer | None:
    """None: there is no model. Raises NeedsModel where there is one, but not at hand."""
    if question.model is None:
        if gateway.is_configured():
            raise NeedsModel
        return None
    # Before the call: an answer made under the old knowledge must not be kept for the new one.
    version = knowledge_version()
    shown = matching.match(question.words).evidence[:MOST_EVIDENCE]
    try:
        completion = _ask(question.model, question, shown)
    except NoModel:
        return None
    except ModelsBusy:
        return Answer("", Source.MODEL, Doubt.MODEL_BUSY)
    except ModelsDown:
        return Answer("", Source.MODEL, Doubt.MODEL_DOWN)
    read = prompt.read(completion)
    if not read.text:
        return Answer("", Source.MODEL, Doubt.MODEL_UNSURE, evidence=shown)
    if _is_for_all(question, read):
        _keep(question, read, completion, version)
    return Answer(read.text, Source.MODEL, evidence=shown)


def _ask(model: Model, question: Question, shown: tuple[Evidence, ...]) -> Completion:
    turns = prompt.turns_for(
        question.text,
        persona=prompt_for(question.account_id),
        evidence=shown,
        history=question.history,
    )
    return model(turns, session_id=question.session_id, key=question.key, tools=[prompt.REPLY])


def _is_for_all(question: Question, read: ModelAnswer) -> bool:
    if question.history or not read.is_structured or not is_shareable(question.words):
        return False
    return blocked_term(Words(read.text), Direction.OUT) is None


def _keep(question: Question, read: ModelAnswer, completion: Completion, version: str) -> None:
    cache.keep(
        question.words,
        read.text,
        model_name=completion.model_name,
        knowledge_version=version,
        whose=namespace(question.account_id),
    )


STEP = Step(answer)
