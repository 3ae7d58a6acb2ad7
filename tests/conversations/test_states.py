"""The states of a reply: one module writes them, by the ways that the picture in the documents
shows.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from conversations.models import Reply, ReplyState
from conversations.replies import states
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wechatbot", "webhook", "tickets", "assistant", "knowledge", "conversations", "wechat")
OWNER_OF_STATES = ROOT / "conversations" / "replies" / "states.py"

Move = tuple[str, str]


def moves() -> set[Move]:
    """From a state to another; "[*]" is where rows begin."""
    found = {("[*]", str(beginning)) for beginning in states.BEGINNINGS}
    for transition in states.TRANSITIONS:
        found |= {(str(before), str(transition.after)) for before in transition.before}
    return found


def drawn() -> set[Move]:
    text = (ROOT / "docs" / "states.md").read_text()
    picture = text.partition("## Reply")[2].partition("```mermaid")[2].partition("```")[0]
    return set(re.findall(r"^ +(\S+) --> (\w+):", picture, re.MULTILINE))


def test_the_documents_draw_the_table() -> None:
    assert drawn() == moves()


def test_every_transition_stands_in_the_table() -> None:
    named = {value for value in vars(states).values() if isinstance(value, states.Transition)}
    assert named == set(states.TRANSITIONS)
    assert all(transition.by for transition in named)


class TestTheSoleWriter:
    def test_nobody_else_writes_the_state_of_a_reply(self) -> None:
        writers = {path for path in _sources() if any(_state_writes(path.read_text()))}
        assert writers == {OWNER_OF_STATES}

    @pytest.mark.parametrize(
        "source",
        [
            "reply.state = ReplyState.SENT",
            "rows.update(state=ReplyState.FAILED, reason='x')",
            "rows.update(state=state)",
            "Reply.objects.create(text='x', state=state)",
            "Reply(text='x', state=ReplyState.READY)",
            "run(f'UPDATE {REPLY} SET state = %s WHERE id = %s', state, 1)",
            "run('UPDATE conversations_reply SET state = %s', state)",
            "cursor.execute('INSERT INTO conversations_reply (state) VALUES (1)')",
        ],
    )
    def test_the_search_finds_a_writer(self, source: str) -> None:
        assert list(_state_writes(source))


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def _state_writes(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Attribute(attr="state")], value=value):
                if not _is_of_a_message(value):
                    yield node.lineno
            case ast.Call(func=function, keywords=keywords) if _writes_rows(function):
                named = {keyword.arg: keyword.value for keyword in keywords}
                if "state" in named and not _is_of_a_message(named["state"]):
                    yield node.lineno
            case ast.JoinedStr() | ast.Constant(value=str()):
                if _WRITES_REPLIES.search(ast.unparse(node)):
                    yield node.lineno


def _writes_rows(function: ast.expr) -> bool:
    name = ast.unparse(function)
    return name == "Reply" or name.rpartition(".")[2] in ("update", "create", "get_or_create")


def _is_of_a_message(value: ast.expr) -> bool:
    return ast.unparse(value).startswith("MessageState.")


_WRITES_REPLIES = re.compile(r"(UPDATE|INTO) (\{REPLY\}|conversations_reply\b)")


NOW = timezone.now()
LATER = NOW + timedelta(seconds=30)
WAYS: dict[str, Callable[[Reply], object]] = {
    "claim": lambda reply: states.claim(reply, "another", LATER),
    "accept": lambda reply: states.accept(reply, NOW),
    "try_later": lambda reply: states.try_later(reply, LATER, "busy"),
    "refuse_now": lambda reply: states.refuse_now(reply, "closed"),
    "refuse": lambda reply: states.refuse(reply, "no"),
    "lose_sight": lambda reply: states.lose_sight(reply, NOW, "no word"),
    "take_back": states.take_back,
    "let_go": states.let_go,
    "hold_back": lambda reply: states.hold_back(Reply.objects.filter(pk=reply.pk)),
    "bring_up": lambda reply: states.bring_up(reply.conversation_id, NOW),
    "rest ready": lambda reply: states.rest([reply.pk], ReplyState.READY, NOW),
    "rest waiting": lambda reply: states.rest([reply.pk], ReplyState.WAITING_FOR_CUSTOMER, NOW),
    "carry": lambda reply: states.carry([reply.pk], NOW),
    "unread ready": lambda reply: states.unread(
        Reply.objects.filter(pk=reply.pk), ReplyState.READY, NOW
    ),
    "unread waiting": lambda reply: states.unread(
        Reply.objects.filter(pk=reply.pk), ReplyState.WAITING_FOR_CUSTOMER, NOW
    ),
    "withdraw": states.withdraw,
    "withdraw_all": lambda reply: states.withdraw_all(reply.conversation_id, "gone"),
    "withdraw_locked": lambda reply: states.withdraw_locked([reply.pk]),
    "expire": lambda reply: states.expire(reply, "two days"),
    "lose_sight_of_all": lambda reply: states.lose_sight_of_all(LATER, "died"),
}


# They write new rows, change other rows than their own, or only ask.
OTHERS = {
    *(
        "write",
        "write_sent",
        "write_claimed",
        "write_by_hand",
        "fail_behind",
        "begin",
        "has_unsent",
    ),
    *("claimed_for", "not_begun", "withdrawable", "lost_before_their_call"),
}


def test_every_way_is_tried_below() -> None:
    functions = {
        name
        for name, value in vars(states).items()
        if inspect.isfunction(value)
        and value.__module__ == states.__name__
        and not name.startswith("_")
    }
    assert functions == {way.split()[0] for way in WAYS} | OTHERS


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", ReplyState)
def test_a_row_goes_no_way_that_the_table_does_not_show(way: str, before: ReplyState) -> None:
    reply = ReplyFactory(state=before, claim="ours", tries=1, lease_until=NOW, begun_at=NOW)
    WAYS[way](reply)
    after = Reply.objects.get().state
    assert after == before or (before, after) in moves()


@pytest.mark.django_db
def test_every_move_of_the_table_is_made_by_some_way() -> None:
    made = set()
    for before in ReplyState:
        for begun_at in (NOW, None):
            for way in WAYS.values():
                reply = ReplyFactory(
                    state=before, claim="ours", tries=1, lease_until=NOW, begun_at=begun_at
                )
                way(reply)
                made.add((before, Reply.objects.get(pk=reply.pk).state))
    behind = {(ReplyState.READY, ReplyState.FAILED)}  # `fail_behind` moves other rows than its own.
    stayed = {(state, state) for state in ReplyState}
    wanted = {move for move in moves() if move[0] != "[*]"}
    assert made - stayed == wanted - stayed - behind


@pytest.mark.django_db
def test_only_the_parts_behind_a_failed_one_fail() -> None:
    message = MessageFactory()
    first, second, third = (
        ReplyFactory(
            conversation=message.conversation, message=message, part=part, state=ReplyState.READY
        )
        for part in (1, 2, 3)
    )
    assert states.fail_behind(second, "no") == 1
    found = {row.pk: row.state for row in Reply.objects.all()}
    assert found == {first.pk: "ready", second.pk: "ready", third.pk: "failed"}


@pytest.mark.django_db
def test_a_persons_text_without_its_beginning_is_not_sent_either() -> None:
    conversation = ConversationFactory()
    first, second = (
        ReplyFactory(
            conversation=conversation,
            message=None,
            draft_key="draft",
            part=part,
            state=ReplyState.READY,
        )
        for part in (1, 2)
    )
    other = ReplyFactory(conversation=conversation, message=None, part=2, state=ReplyState.READY)
    assert states.fail_behind(first, "no") == 1
    found = {row.pk: row.state for row in Reply.objects.all()}
    assert found == {first.pk: "ready", second.pk: "failed", other.pk: "ready"}
