"""New customers, and how many of them a minute a model is asked for.

A crowd of people who never wrote before is a campaign that went well, or somebody's machine. Up to
the limit of an account each of them is served like everybody else. Past it they get what costs
nothing: the knowledge base, a menu, a ticket. Nobody is refused, and whoever comes again in a
calmer minute is let in. Redis away: no limit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings

from assistant.pipeline import Model
from common import clock
from common.database_threads import database_work
from conversations.models import Customer
from llm.errors import NoModel
from llm.turns import ChatTurn, Completion, Tool
from webhook import throttle

logger = logging.getLogger(__name__)


class ModelForCustomer:
    """The model, for a customer who is let in. To others it does not exist."""

    def __init__(self, model: Model, customer: Customer) -> None:
        self._model, self._customer = model, customer

    def __call__(
        self, turns: Sequence[ChatTurn], *, session_id: str, key: str, tools: Sequence[Tool] = ()
    ) -> Completion:
        if self._customer.let_in_at is None:
            let_in(self._customer)
        return self._model(turns, session_id=session_id, key=key, tools=tools)


def let_in(customer: Customer) -> None:
    """Once in a customer's life. Raises NoModel when too many came in this minute."""
    number = throttle.number_of_newcomer(customer.account_id, customer.pk)
    if number > settings.NEW_CUSTOMERS_PER_MINUTE:
        logger.warning(
            "account %s: over %d new customers a minute, no model for one of them",
            customer.account_id,
            settings.NEW_CUSTOMERS_PER_MINUTE,
        )
        raise NoModel("too many new customers in this minute")
    _note(customer)


@database_work
def _note(customer: Customer) -> None:
    customer.let_in_at = clock.now()
    Customer.objects.filter(pk=customer.pk, let_in_at=None).update(let_in_at=customer.let_in_at)
