"""A language is one file: what a file must hold, and that nothing in it lies unused."""

from __future__ import annotations

import re

import pytest

from assistant import vocabulary
from assistant.vocabulary import LANGUAGES, Table

EVERY_LANGUAGE_HAS = {
    "wish": {"hints", "person", "no_person"},
    "small_talk": {"tone", "greeting", "thanks", "goodbye", "surely_thanks", "kind_faces"},
    "not_shared": {"points_back_first", "points_back", "own"},
}
MAY_HAVE = {"person_in_a_clause"}


def named_in(table: Table) -> set[str]:
    """The lists that a table's shapes and lists name."""
    texts = [
        text for value in table.values() for text in ([value] if isinstance(value, str) else value)
    ]
    return {name for text in texts for name in re.findall(r"<(\w+)>", text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_all_that_is_asked_of_it(language: str) -> None:
    assert LANGUAGES[language].keys() == EVERY_LANGUAGE_HAS.keys()
    for table, names in EVERY_LANGUAGE_HAS.items():
        assert names <= LANGUAGES[language][table].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_list_of_it_lies_unused(language: str) -> None:
    for name, table in LANGUAGES[language].items():
        assert set(table) - EVERY_LANGUAGE_HAS[name] - MAY_HAVE == named_in(table)


def test_a_longer_word_stands_before_the_one_that_it_begins_with() -> None:
    words = vocabulary.words("small_talk", "thanks")
    assert words.index("谢谢您") < words.index("谢谢")
    assert words.index("okay") < words.index("ok")


def test_a_word_of_an_alphabet_counts_only_as_a_whole() -> None:
    pattern = re.compile(vocabulary.whole_words(["it", "那个"]))
    assert pattern.search("what is it")
    assert pattern.search("要那个吗")
    assert not pattern.search("an item")
