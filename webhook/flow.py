"""The product in one function: what becomes of a message that we hold.

The web process and the worker run the same function under the same claim; only the worker brings a
model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from assistant import pipeline, wishes
from assistant.answers import Answer, Question
from assistant.models import Source
from assistant.pipeline import Model
from common.database_threads import database_work
from common.keeping import keep_trying
from conversations import session
from conversations.models import Author, Message, MessageState, Owner
from conversations.replies import leaving
from conversations.replies.links import asks_to_look, is_tap
from conversations.replies.say import OwnerChanged, say
from conversations.saying import Saying
from conversations.turns import leases
from conversations.turns.leases import Turn
from tickets import services as tickets
from tickets.models import Reason
from webhook.newcomers import ModelForCustomer
from webhook.welcome import welcome
from wechat.events import MenuClicked, Subscribed, Unsubscribed
from wechat.incoming import Incoming
from wechat.traits import Expects

logger = logging.getLogger(__name__)

# How long an answer that a model was paid for is kept while it cannot be written.
KEEP_ANSWER_SECONDS = 30.0
KEEP_ANSWER_PAUSE = 0.5

OwnAnswer = Callable[[Turn], None]
_OWN_ANSWERS: dict[type[Incoming], OwnAnswer] = {}


def answers(kind: type[Incoming]) -> Callable[[OwnAnswer], OwnAnswer]:
    """Enter a function for a kind that the bot answers in its own way, while it serves the
    customer.
    """

    def register(answer: OwnAnswer) -> OwnAnswer:
        _OWN_ANSWERS[kind] = answer
        return answer

    return register


def reply(turn: Turn, *, model: Model | None) -> None:
    """Give this message its one answer, or its place on a ticket.

    Raises pipeline.NeedsModel when only a model can answer and none was given; nothing is written
    then.
    """
    try:
        _reply(turn, model)
    except tickets.NoOpenTicket:
        # The wait or the service ended at this very moment: the customer is the bot's again.
        _reply(leases.refreshed(turn), model)


def _reply(turn: Turn, model: Model | None) -> None:
    message, conversation, push = turn.message, turn.conversation, turn.message.push
    if turn.is_worn_out:
        leave_to_a_person(turn)
    elif push.traits.expects is Expects.RECORD:
        note_event(turn)
    elif isinstance(push, Subscribed):
        welcome(turn)
    elif _asks_to_look(message) and not _is_said_to_a_person(turn):
        show_what_waits(turn)
    elif conversation.owner == Owner.AGENT:
        tickets.add_message(turn)
    elif conversation.owner == Owner.QUEUE:
        answer_while_waiting(turn)
    elif (answer := _OWN_ANSWERS.get(type(push))) is not None:
        answer(turn)
    elif not message.text:
        say_not_understood(turn)
    else:
        answer_as_bot(turn, model)


def leave_to_a_person(turn: Turn) -> None:
    """A customer who expects no answer, as to an event, is told nothing."""
    if turn.message.push.traits.expects is Expects.RECORD:
        tickets.show_broken(turn)
    else:
        tickets.hand_over(turn, reason=Reason.BROKEN)


def _asks_to_look(message: Message) -> bool:
    return asks_to_look(message.words, message.push.tapped)


def _is_said_to_a_person(turn: Turn) -> bool:
    """ "继续" where nothing waits is the customer's word to the agent; our own tap link is not."""
    return (
        turn.conversation.owner == Owner.AGENT
        and not is_tap(turn.message.words, turn.message.push.tapped)
        and not _something_waits(turn)
    )


@database_work
def _something_waits(turn: Turn) -> bool:
    return turn.conversation.replies.waiting_for_customer().exists()


def surely_needs_model(message: Message) -> bool:
    """Known from the words alone, whatever the session holds: then nobody but the worker need claim
    the message.
    """
    push = message.push
    return (
        bool(message.text)
        and push.is_message
        and type(push) not in _OWN_ANSWERS
        and not _asks_to_look(message)
        and pipeline.surely_needs_model(Question(message.words, message.account_id, session_id=""))
    )


def answer_as_bot(turn: Turn, model: Model | None) -> None:
    memory = session.load(turn.conversation, turn.customer.openid)
    question = _question(turn, memory)
    if model is None:
        give(turn, pipeline.answer(question, model=None), memory)
    else:
        answer = pipeline.answer(question, model=ModelForCustomer(model, turn.customer))
        _keep_trying(lambda: give(turn, answer, memory))


def _keep_trying(write: Callable[[], None]) -> None:
    """A paid answer is not thrown away because the database is away at this moment. Nothing is
    written twice: the message is ours for one answer only.
    """
    keep_trying(write, seconds=KEEP_ANSWER_SECONDS, pause=KEEP_ANSWER_PAUSE, what="an answer")


def give(turn: Turn, answer: Answer, memory: session.Session) -> None:
    try:
        if answer.said:
            say_answer(turn, answer, memory)
        elif answer.doubt:
            tickets.hand_over(turn, reason=Reason(answer.doubt))
        else:
            say(turn, [], author=Author.SYSTEM)
    except OwnerChanged:
        # A person took over while the model was thinking: the bot says nothing more.
        tickets.add_message(leases.refreshed(turn))


def answer_while_waiting(turn: Turn) -> None:
    """In the queue: what the steps that are asked meanwhile (`while_waiting`) find is still given,
    the model is not asked, the rest waits for the agent.
    """
    if not turn.message.text:
        tickets.add_message(turn)
        return
    if wishes.wants_no_human(turn.message.words):
        tickets.cancel(turn)
        return
    memory = session.load(turn.conversation, turn.customer.openid)
    answer = pipeline.answer(_question(turn, memory, faq_only=True), model=None)
    if answer.said and answer.source != Source.BLOCKED:
        try:
            say_answer(turn, answer, memory)
            return
        except OwnerChanged:
            turn = leases.refreshed(turn)
    tickets.add_message(turn)


@answers(MenuClicked)
def answer_click(turn: Turn) -> None:
    """A menu entry's key is the shop's word, often a code: it gets a sure answer, or we ask the
    customer for words.
    """
    if not turn.message.text:
        say_not_understood(turn)
        return
    if wishes.wants_human(turn.message.words):
        tickets.hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        return
    # The key chooses from no menu of ours.
    answer = pipeline.answer(_question(turn, session.Session(), faq_only=True), model=None)
    if answer.said:
        give(turn, answer, session.load(turn.conversation, turn.customer.openid))
    else:
        ask_in_words(turn)


@database_work
def ask_in_words(turn: Turn) -> None:
    say(turn, [Saying("ask_in_words")], author=Author.SYSTEM)


def say_answer(turn: Turn, answer: Answer, memory: session.Session) -> None:
    say(
        turn,
        [answer.said],
        author=Author.BOT,
        source=str(answer.source),
        options=answer.offered,
        memory=memory,
    )


def _question(turn: Turn, memory: session.Session, *, faq_only: bool = False) -> Question:
    return Question(
        words=turn.message.words,
        account_id=turn.account_id,
        session_id=turn.conversation.session_id,
        conversation_id=turn.conversation.pk,
        message_id=turn.message.pk,
        history=memory.context,
        offered=memory.offered,
        tapped=turn.message.push.tapped,
        faq_only=faq_only,
    )


@database_work
def note_event(turn: Turn) -> None:
    if isinstance(turn.message.push, Unsubscribed):
        leaving.withdraw_if_left(turn.conversation.pk)
    say(turn, [], author=Author.SYSTEM, state=MessageState.IGNORED)


@database_work
def show_what_waits(turn: Turn) -> None:
    """A tap on our link, or its words typed, is no question: it gets what waits, or hears that
    nothing does.
    """
    if _something_waits(turn):
        said = []
    elif turn.conversation.owner == Owner.BOT:
        said = [Saying("nothing_more")]
    else:
        said = [Saying("no_reply_yet")]
    say(turn, said, author=Author.SYSTEM)


@database_work
def say_not_understood(turn: Turn) -> None:
    """A picture, a place, a voice without words: a person may understand it, the bot does not."""
    say(turn, [Saying("not_understood")], author=Author.SYSTEM)
