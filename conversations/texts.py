"""The words for a moment: the account's own (BotText rows), or the moment's default."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from string import Formatter

from django.conf import settings
from django.utils.translation import override

from common.fresh import Fresh
from conversations.models import BotText
from conversations.saying import registered

logger = logging.getLogger(__name__)

# By account and moment.
OwnWords = Mapping[tuple[int, str], str]

# An editor's change is heard this many seconds later in every process, without a query for each
# message.
FRESH_SECONDS = 5.0


def filled(own: OwnWords, moment: str, account_id: int, values: Mapping[str, object]) -> str:
    """The account's words for `moment`, filled with `values`.

    An editor's words that name an unknown value fall back to the default: the customer must not get
    nothing.
    """
    words = own.get((account_id, moment))
    if words:
        try:
            return words.format(**values)
        except (AttributeError, KeyError, IndexError, ValueError):
            logger.warning(
                "account %s: text %r does not fit its values %s", account_id, moment, sorted(values)
            )
    return default_text(moment).format(**values)


def has_place_for(value: str, moment: str, account_id: int) -> bool:
    """Whether the account's words for `moment` show this value."""
    return f"{{{value}}}" in template(own_words.get(), moment, account_id)


def template(own: OwnWords, moment: str, account_id: int) -> str:
    """The account's words for `moment` with their braces."""
    return own.get((account_id, moment)) or default_text(moment)


def names_in(text: str) -> set[str]:
    """The values that a text shows, `{name}`. ValueError where the braces hold more than a name or
    do not match.

    `{name:>999999999}` would have the process that says it write a gigabyte of spaces.
    """
    names = set()
    for _literal, name, spec, conversion in Formatter().parse(text):
        if spec or conversion:
            raise ValueError(f"more than a name in the braces of {name}")
        if name is not None:
            names.add(name)
    return names


def _can_be_filled(text: str) -> bool:
    try:
        names_in(text)
    except ValueError:
        return False
    return True


def default_text(moment: str) -> str:
    """The default in the installation's language, whatever language the page of the moment is shown
    in.
    """
    with override(settings.LANGUAGE_CODE):
        return str(registered()[moment].default)


def _read_own_words() -> OwnWords:
    rows = BotText.objects.values_list("account_id", "moment", "text")
    return {(account_id, moment): text for account_id, moment, text in rows if _can_be_filled(text)}


def known_words() -> OwnWords:
    """What this process has read before."""
    return own_words.known or {}


own_words = Fresh(_read_own_words, of="the accounts' own words", every=FRESH_SECONDS)
