"""Sayings become words here: in `say`, last of all, when it is certain what is said."""

from __future__ import annotations

from conversations.replies.links import look_link, words_of
from conversations.saying import Lines, LookLink, Sayable, Saying
from conversations.texts import OwnWords, filled, known_words, own_words, template


def in_words(said: Sayable, account_id: int) -> str:
    """The account's words. Its rows are read again where they may have changed."""
    return said if isinstance(said, str) else _worded(own_words.get(), said, account_id)


def ready_words(said: Saying, account_id: int) -> str:
    """The same from what this process knows already: for the event loop, and while the database is
    away.
    """
    return _worded(known_words(), said, account_id)


def _worded(own: OwnWords, said: Sayable, account_id: int) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, Lines):
        return "\n".join(_worded(own, line, account_id) for line in said.said)
    values = {name: _shown(own, said.key, value, account_id) for name, value in said.values.items()}
    return filled(own, said.key, account_id, values)


def _shown(own: OwnWords, moment: str, value: object, account_id: int) -> object:
    if isinstance(value, LookLink):
        return _link_to_look(own, moment, value.label, account_id)
    return value


def _link_to_look(own: OwnWords, moment: str, label: str, account_id: int) -> str:
    """The link, and beside it the words to type. Words of an editor that tell what to type get the
    link alone.
    """
    shown = filled(own, label, account_id, {})
    link, words = look_link(shown), words_of(shown)
    if words in template(own, moment, account_id):
        return link
    return filled(own, "look_words", account_id, {"link": link, "words": words})
