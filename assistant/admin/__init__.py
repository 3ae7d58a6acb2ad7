"""The editors' pages: how the assistant speaks, what it must not say, and how each answer was
found.
"""

from assistant.admin.answer_log import AnswerLogAdmin
from assistant.admin.editing import BlockedTermAdmin, PersonaAdmin

__all__ = ["AnswerLogAdmin", "BlockedTermAdmin", "PersonaAdmin"]
