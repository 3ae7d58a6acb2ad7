"""The first word to a new follower: who we are, what others ask, and how to reach a person."""

from __future__ import annotations

from assistant import menu
from assistant.favourites import favourites
from common import clock
from common.database_threads import database_work
from conversations import session
from conversations.models import Author, Conversation
from conversations.replies.say import say
from conversations.saying import Saying
from conversations.texts import has_place_for
from conversations.turns.leases import LeaseLost, Turn
from wechat.accounts import namespace


@database_work
def welcome(turn: Turn) -> None:
    if turn.conversation.is_with_agent:
        # Whom a person serves, the bot says nothing to.
        say(turn, [], author=Author.SYSTEM)
        return
    welcoming, offered = _welcome_words(turn)
    openid, whose = turn.customer.openid, namespace(turn.account_id)
    if offered:
        session.offer(openid, session.load(turn.conversation, openid), offered, whose=whose)
        # So that a session lost with Redis is looked for in the rows.
        Conversation.objects.filter(pk=turn.conversation.pk).update(last_reply_at=clock.now())
    try:
        say(turn, [welcoming], author=Author.SYSTEM, options=offered)
    except LeaseLost:
        session.forget(openid, whose=whose)
        raise


def _welcome_words(turn: Turn) -> tuple[Saying, tuple[int, ...]]:
    """With the questions that customers ask most, where there are any and the account's own words
    show them.
    """
    shows_questions = has_place_for("choices", "follow", turn.account_id)
    questions = favourites() if shows_questions else ()
    moment = "follow_plain" if shows_questions and not questions else "follow"
    welcoming = Saying(moment, name=turn.account.name, choices=menu.lines(questions))
    return welcoming, tuple(one.id for one in questions)
