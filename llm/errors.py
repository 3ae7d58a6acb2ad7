"""How a wish for an answer can fail. Callers of the gateway see the first four; the rest are single
calls.
"""

from __future__ import annotations

from typing import ClassVar

from llm.models import Outcome


class ModelError(Exception):
    """No language model gave an answer."""


class NoModel(ModelError):
    """None is configured and enabled."""


class ModelsBusy(ModelError):
    """None was asked, because all slots are taken."""


class ModelsDown(ModelError):
    """All that could be asked failed."""


class CallFailed(Exception):
    """One call to one model brought no answer; the next model is asked. Its text
    never holds a key.
    """

    outcome: ClassVar[Outcome] = Outcome.FAILED
    speaks_against_model: ClassVar[bool] = True  # Counts for its breaker.


class TimedOut(CallFailed):
    outcome = Outcome.TIMEOUT


class RateLimited(CallFailed):
    outcome = Outcome.RATE_LIMITED


class Refused(CallFailed):
    """Wrong key, wrong model name, no money left: somebody has to look at the settings."""

    outcome = Outcome.REFUSED


class ParametersRefused(Refused):
    """400 or 422: perhaps the endpoint does not know one of our optional parameters; `body` may
    name it.

    Or what the customer wrote is refused (too long, filtered as offensive): other customers keep
    the model.
    """

    speaks_against_model = False

    def __init__(self, text: str, body: str) -> None:
        super().__init__(text)
        self.body = body


class Failed(CallFailed):
    """The endpoint answered 5xx or an error of its own, or could not be reached."""


class Broken(CallFailed):
    outcome = Outcome.BROKEN


class Nonsense(CallFailed):
    outcome = Outcome.NONSENSE


class Busy(CallFailed):
    """All slots of the model are taken; it was not asked."""

    outcome = Outcome.BUSY


class BreakerOpen(CallFailed):
    """The model failed several times in a row and rests; it was not asked."""

    outcome = Outcome.OPEN
