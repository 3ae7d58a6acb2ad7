"""Customers, conversations and messages to read. Nothing here is written by hand, but a customer's
remark and texts.
"""

from conversations.admin.bot_texts import BotTextAdmin
from conversations.admin.conversations import ConversationAdmin
from conversations.admin.customers import CustomerAdmin
from conversations.admin.messages import MessageAdmin
from conversations.admin.replies import ReplyAdmin

__all__ = ["BotTextAdmin", "ConversationAdmin", "CustomerAdmin", "MessageAdmin", "ReplyAdmin"]
