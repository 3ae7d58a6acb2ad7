"""Pages for the editors of the knowledge base."""

from knowledge.admin.cached_answers import CachedAnswerAdmin
from knowledge.admin.faqs import CategoryAdmin, FAQAdmin
from knowledge.admin.synonyms import SynonymRuleAdmin

__all__ = ["CachedAnswerAdmin", "CategoryAdmin", "FAQAdmin", "SynonymRuleAdmin"]
