"""The statements that every message runs, as constant SQL. The ORM builds the same ones at about
ten times the cost, and a message runs twenty of them. All of it works on MySQL, MariaDB and SQLite;
nowhere else in the product is SQL.

Each function is one statement of a story that `claims`, `services` or `passive` tells, inside their
transactions.
"""

from __future__ import annotations

from conversations.hot.answering import (
    Held,
    end_message,
    end_message_and_push,
    insert_replies,
    insert_reply,
    lock_message,
    reply_and_release,
    reply_as_owner,
    spend_if_window_allows,
    waiting_becomes_ready,
)
from conversations.hot.arriving import (
    MESSAGE_COLUMNS,
    Window,
    attach_message,
    begin_conversation,
    conversation_of,
    insert_messages,
    join_conversation,
    open_message_window,
)
from conversations.hot.carrying import (
    end_pushes,
    lock_messages,
    lock_ready_replies,
    lock_waiting_replies,
    release_pushes,
    replies_sent_passively,
)
from conversations.hot.claiming import (
    claim_conversation,
    first_open_message,
    hold_on,
    release_conversation,
    start_answering,
)
from conversations.hot.delivering import (
    count_sent_by_api,
    first_unsent_reply,
    has_ready_reply,
    has_unsent_reply,
    last_sent,
    lock_conversation,
    ready_parts_behind,
    reply_sent,
    spend_event_send,
    spend_message_send,
    start_sending,
)
from conversations.hot.sql import to_database

__all__ = [
    "MESSAGE_COLUMNS",
    "Held",
    "Window",
    "attach_message",
    "begin_conversation",
    "claim_conversation",
    "conversation_of",
    "count_sent_by_api",
    "end_message",
    "end_message_and_push",
    "end_pushes",
    "first_open_message",
    "first_unsent_reply",
    "has_ready_reply",
    "has_unsent_reply",
    "hold_on",
    "insert_messages",
    "insert_replies",
    "insert_reply",
    "join_conversation",
    "last_sent",
    "lock_conversation",
    "lock_message",
    "lock_messages",
    "lock_ready_replies",
    "lock_waiting_replies",
    "open_message_window",
    "ready_parts_behind",
    "release_conversation",
    "release_pushes",
    "replies_sent_passively",
    "reply_and_release",
    "reply_as_owner",
    "reply_sent",
    "spend_event_send",
    "spend_if_window_allows",
    "spend_message_send",
    "start_answering",
    "start_sending",
    "to_database",
    "waiting_becomes_ready",
]
