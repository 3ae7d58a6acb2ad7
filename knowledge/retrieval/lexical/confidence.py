"""How sure matching is, as a probability, and what may be said at which confidence.

The constants were fitted on real questions that are not shipped (see docs/matching.md) and then
rounded by hand.
"""

from __future__ import annotations

import math
from typing import Literal

# At 0.70 about nine of ten answers are right. Between the two the right entry is mostly among the
# three suggested.
ANSWER_AT = 0.70
SUGGEST_AT = 0.30
# A doubt (a guard, a single character) makes a sure match a suggestion.
MOST_IN_DOUBT = 0.69
# Below this score a few common characters are all that is shared, and in a small knowledge base
# even they lead by far.
LEAST_ALIKE = 0.38
MOST_UNLESS_ALIKE = 0.29
# In a small knowledge base nothing else comes near: beyond this a lead proves nothing.
MOST_LEAD = 0.3

Band = Literal["answer", "suggest", "none"]


def confidence_of(best: float, second: float = 0.0) -> float:
    """The probability that the best entry is meant, by its score and its lead
    over the next entry.
    """
    lead = min(best - second, MOST_LEAD)
    probability = 1 / (1 + math.exp(2.6 - 3 * best - 7 * lead))
    return probability if best >= LEAST_ALIKE else min(probability, MOST_UNLESS_ALIKE)


def band_of(confidence: float) -> Band:
    if confidence >= ANSWER_AT:
        return "answer"
    return "suggest" if confidence >= SUGGEST_AT else "none"
